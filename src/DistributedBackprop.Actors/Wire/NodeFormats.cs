using System.Collections.Immutable;
using System.Runtime.Serialization;
using DistributedBackprop.Actors.Nodes;
using Wired = DistributedBackprop.Actors.Wire.Messages.PrepareGeneration.Types.StateOrigin;

namespace DistributedBackprop.Actors.Wire;

/// <summary>The messages between a job and the nodes that train it, about the generations of it.</summary>
internal static class NodeFormats
{
    private const int MaxFingerprint = 64;

    public static ImmutableArray<WireFormat> All { get; } =
    [
        WireFormat.Of<PrepareGeneration, Messages.PrepareGeneration>(
            "prepare-generation", (message, _) => Write(message), Read),
        WireFormat.Of<AnnounceGeneration, Messages.AnnounceGeneration>(
            "announce-generation",
            (message, _) => new() { Next = Write(message.Next) },
            (wire, references) => new(Read(WireFields.Present(wire.Next, "next"), references))),
        WireFormat.Of<GenerationExpected, Messages.GenerationExpected>(
            "generation-expected",
            (message, _) => new() { Node = message.Node },
            (wire, _) => new(WireFields.Name(wire.Node, "node"))),
        WireFormat.Of<GenerationPrepared, Messages.GenerationPrepared>(
            "generation-prepared",
            (message, _) => new() { Generation = message.Generation, Node = message.Node },
            (wire, _) => new(GenerationFields.Generation(wire.Generation), WireFields.Name(wire.Node, "node"))),
        WireFormat.Of<GenerationRefused, Messages.GenerationRefused>(
            "generation-refused",
            (message, _) => new()
            {
                Generation = message.Generation,
                Node = message.Node,
                Reason = WireFields.Cut(message.Reason),
            },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                WireFields.Name(wire.Node, "node"),
                WireFields.Reason(wire.Reason, "reason"))),
        WireFormat.Of<BeginGeneration, Messages.BeginGeneration>("begin-generation", (message, _) => Write(message), Read),
        WireFormat.Of<GenerationBegun, Messages.GenerationBegun>(
            "generation-begun",
            (message, _) => new() { Generation = message.Generation, Node = message.Node },
            (wire, _) => new(GenerationFields.Generation(wire.Generation), WireFields.Name(wire.Node, "node"))),
        WireFormat.Of<StateArrives, Messages.StateArrives>(
            "state-arrives",
            (message, _) => new() { Generation = message.Generation, Node = message.Node, Elements = message.Elements },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                WireFields.Name(wire.Node, "node"),
                GenerationFields.Count(wire.Elements, "elements"))),
        WireFormat.Of<ReleaseGeneration, Messages.ReleaseGeneration>(
            "release-generation",
            (message, _) => new() { JobId = GenerationFields.JobId(message.JobId), Generation = message.Generation },
            (wire, _) => new(GenerationFields.JobId(wire.JobId), GenerationFields.Generation(wire.Generation))),
        WireFormat.Of<GenerationReleased, Messages.GenerationReleased>(
            "generation-released",
            (message, _) => new()
            {
                Generation = message.Generation,
                Node = message.Node,
                Statistics = message.Statistics is { } statistics ? StatisticsForm.Write(statistics) : null,
            },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                WireFields.Name(wire.Node, "node"),
                wire.Statistics is { } statistics ? StatisticsForm.Read(statistics) : null)),
        WireFormat.Of<LinkBroken, Messages.LinkBroken>(
            "link-broken",
            (message, _) => new()
            {
                Generation = message.Generation,
                Node = message.Node,
                Peer = message.Peer,
                Reason = WireFields.Cut(message.Reason),
            },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                WireFields.Name(wire.Node, "node"),
                WireFields.Name(wire.Peer, "peer"),
                WireFields.Reason(wire.Reason, "reason"))),
    ];

    private static Messages.PrepareGeneration Write(PrepareGeneration message)
    {
        var wire = new Messages.PrepareGeneration
        {
            JobId = GenerationFields.JobId(message.JobId),
            Generation = message.Generation,
            Plan = PlanForm.Write(message.Job, message.Placement),
            DataFingerprint = message.DataFingerprint,
            TrainExamples = message.TrainExamples,
            Keeper = MemberForms.Write(message.Keeper),
            AfterStep = message.AfterStep,
            Origin = Write(message.Origin),
            DataRoot = message.DataRoot,
        };
        wire.Members.AddRange(message.Members.Select(MemberForms.Write));
        return wire;
    }

    private static PrepareGeneration Read(Messages.PrepareGeneration wire, WireReferences references)
    {
        var (job, placement) = PlanForm.Read(wire.Plan);
        return new PrepareGeneration(
            GenerationFields.JobId(wire.JobId),
            GenerationFields.Generation(wire.Generation),
            job,
            WireFields.Text(wire.DataFingerprint, "data_fingerprint", MaxFingerprint),
            WireFields.Number(wire.TrainExamples, "train_examples", 1, int.MaxValue),
            placement,
            MemberForms.ReadAll(wire.Members, references),
            MemberForms.Read(wire.Keeper, "keeper", references),
            GenerationFields.Step(wire.AfterStep, "after_step"),
            Read(wire.Origin))
        {
            DataRoot = wire.DataRoot.Length == 0 ? "" : WireFields.Name(wire.DataRoot, "data_root"),
        };
    }

    private static Messages.BeginGeneration Write(BeginGeneration message)
    {
        var wire = new Messages.BeginGeneration { Generation = message.Generation };
        wire.Members.AddRange(message.Members.Select(MemberForms.Write));
        return wire;
    }

    private static BeginGeneration Read(Messages.BeginGeneration wire, WireReferences references) => new(
        GenerationFields.Generation(wire.Generation), MemberForms.ReadAll(wire.Members, references));

    private static Wired Write(StateOrigin origin) => origin switch
    {
        StateOrigin.Fresh => Wired.Fresh,
        StateOrigin.Parameters => Wired.Parameters,
        StateOrigin.Full => Wired.Full,
        _ => throw new SerializationException($"origin {origin} is unknown"),
    };

    private static StateOrigin Read(Wired origin) => origin switch
    {
        Wired.Fresh => StateOrigin.Fresh,
        Wired.Parameters => StateOrigin.Parameters,
        Wired.Full => StateOrigin.Full,
        _ => throw new SerializationException($"origin must be FRESH, PARAMETERS or FULL (was {origin})"),
    };
}
