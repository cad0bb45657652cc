using System.IO.Compression;
using System.Runtime.Serialization;
using DistributedBackprop.Training.Jobs;
using Google.Protobuf;

namespace DistributedBackprop.Actors.Wire;

/// <summary>
/// What is to be trained and where, as one deflated part of a message: a model of 2,048 layers, or 1,024 replicas of 64
/// stages, would not fit into a message otherwise.
/// </summary>
internal static class PlanForm
{
    // Four times the longest job file: its text may be three bytes for each char, and there is the placement.
    private const int MaxInflated = 4 * JobFile.MaxLength;

    /// <exception cref="SerializationException">The placement is not of the job's replicas and stages.</exception>
    public static ByteString Write(TrainingJob job, Placement placement)
    {
        var (replicas, stages) = (job.Parallelism.Replicas, job.Parallelism.Stages);
        if (placement.Replicas != replicas || placement.Stages != stages)
        {
            throw new SerializationException(
                $"placement must be of {replicas} replicas of {stages} stages, as the job is "
                + $"(was of {placement.Replicas} of {placement.Stages})");
        }

        var plan = new Messages.GenerationPlan { Job = CanonicalForm.Of(job) };
        plan.Nodes.AddRange(placement.Nodes.Select(node => WireFields.Name(node, "nodes")));
        var indices = placement.Nodes.Select((node, index) => (node, index))
            .ToDictionary(pair => pair.node, pair => (uint)pair.index, StringComparer.Ordinal);
        plan.NodeOf.AddRange(
            from replica in Enumerable.Range(0, replicas)
            from stage in Enumerable.Range(0, stages)
            select indices[placement[replica, stage]]);

        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, CompressionLevel.Optimal, leaveOpen: true))
        {
            plan.WriteTo(deflate);
        }

        return ByteString.CopyFrom(deflated.GetBuffer().AsSpan(0, (int)deflated.Length));
    }

    /// <exception cref="SerializationException">
    /// It is not deflated, is too long, holds no job, or the placement is not of the job's replicas and stages.
    /// </exception>
    /// <exception cref="InvalidProtocolBufferException">What was deflated is no plan.</exception>
    public static (TrainingJob Job, Placement Placement) Read(ByteString deflated)
    {
        using var inflated = Inflate(deflated);
        var plan = Messages.GenerationPlan.Parser.ParseFrom(inflated);
        var read = JobFile.Parse("job", plan.Job);
        return read.IsValid
            ? (read.Job, Read(plan, read.Job.Parallelism))
            : throw new SerializationException(WireFields.Cut(read.Errors[0].ToString()));
    }

    private static Placement Read(Messages.GenerationPlan plan, Parallelism parallelism)
    {
        var (replicas, stages) = (parallelism.Replicas, parallelism.Stages);
        _ = WireFields.Number(plan.NodeOf.Count, "node_of", replicas * stages, replicas * stages);
        _ = WireFields.Number(plan.Nodes.Count, "nodes", 1, plan.NodeOf.Count);
        foreach (var node in plan.Nodes)
        {
            _ = WireFields.Name(node, "nodes");
        }

        foreach (var index in plan.NodeOf)
        {
            _ = WireFields.Number((long)index, "node_of", 0, plan.Nodes.Count - 1);
        }

        return new Placement(replicas, stages, (replica, stage) => plan.Nodes[(int)plan.NodeOf[(replica * stages) + stage]]);
    }

    private static MemoryStream Inflate(ByteString deflated)
    {
        var inflated = new MemoryStream();
        try
        {
            using var inflate = new DeflateStream(new MemoryStream(deflated.ToByteArray()), CompressionMode.Decompress);
            var buffer = new byte[1 << 16];
            for (int read; (read = inflate.Read(buffer)) > 0;)
            {
                // A few bytes can be made to inflate to gigabytes.
                _ = WireFields.Number(inflated.Length + read, "plan", 0, MaxInflated);
                inflated.Write(buffer, 0, read);
            }
        }
        catch (InvalidDataException e)
        {
            throw new SerializationException($"plan must be raw DEFLATE: {e.Message}", e);
        }

        inflated.Position = 0;
        return inflated;
    }
}
