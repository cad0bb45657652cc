using System.IO.Pipelines;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Protocol;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;
using Google.Protobuf;
using Grpc.Core;

namespace DistributedBackprop.Server.Grpc;

/// <summary>What jobs have trained, as <c>protos/training.proto</c> says.</summary>
/// <param name="calls">Brings calls to the coordinator.</param>
internal sealed class ModelsService(Calls calls) : Models.ModelsBase, IDisposable
{
    private const int ChunkBytes = 64 * 1024;
    private const int MostFloats = (64 << 20) / sizeof(float);

    // Each takes a thread of its own for a while: the others wait their turn, rather than for memory.
    private readonly SemaphoreSlim _turns = new(2);
    private readonly TensorPool _pool = new();

    public override Task Export(ExportRequest request, IServerStreamWriter<ExportChunk> responseStream, ServerCallContext context) =>
        calls.StreamAsync(
            context,
            responseStream,
            async (coordinator, cancellation) =>
            {
                var network = await Calls.AskAgainAsync<TrainedNetwork>(
                    coordinator, new NetworkRequest(JobDocuments.Id(request.Id), IsFinal: true), cancellation);
                await _turns.WaitAsync(cancellation);
                try
                {
                    await WriteAsync(network, responseStream, cancellation);
                }
                finally
                {
                    _turns.Release();
                }
            },
            (there, options) => new Models.ModelsClient(there).Export(request, options));

    public override Task<PredictResponse> Predict(PredictRequest request, ServerCallContext context)
    {
        var id = JobDocuments.Id(request.Id);
        if (request.Features.Count > MostFloats)
        {
            throw ServiceErrors.TooMuch(
                "TOO_MANY_FEATURES", FormattableString.Invariant($"at most {MostFloats} features in one call (were {request.Features.Count})"));
        }

        return calls.AnswerAsync(
            context,
            async (coordinator, cancellation) =>
            {
                var network = await Calls.AskAsync<TrainedNetwork>(coordinator, new NetworkRequest(id, IsFinal: false), cancellation);
                var width = network.Graph.Input.Length;
                if (request.Features.Count % width != 0)
                {
                    throw ServiceErrors.Invalid("features", FormattableString.Invariant(
                        $"must be whole examples of {network.Graph.Input}, {width} numbers each (were {request.Features.Count})"));
                }

                var outputs = request.Features.Count / width * (long)network.Graph.Output.Length;
                if (outputs > MostFloats)
                {
                    throw ServiceErrors.TooMuch(
                        "TOO_MANY_OUTPUTS", FormattableString.Invariant($"at most {MostFloats} outputs in one call (would be {outputs})"));
                }

                await _turns.WaitAsync(cancellation);
                try
                {
                    return await Task.Run(() => Answer(network, request, cancellation), cancellation);
                }
                finally
                {
                    _turns.Release();
                }
            },
            (there, options) => new Models.ModelsClient(there).PredictAsync(request, options));
    }

    public void Dispose() => _turns.Dispose();

    private PredictResponse Answer(TrainedNetwork network, PredictRequest request, CancellationToken cancellation)
    {
        using var prediction = new Prediction(network.Graph, network.Parameters, _pool);
        var width = network.Graph.Output.Length;
        var response = new PredictResponse { Examples = request.Features.Count / network.Graph.Input.Length, Width = width, Step = network.Step };
        var features = new float[request.Features.Count];
        request.Features.CopyTo(features, 0);
        response.Outputs.Capacity = response.Examples * width;
        response.Classes.Capacity = response.Examples;
        foreach (var outputs in prediction.Of(features))
        {
            cancellation.ThrowIfCancellationRequested();
            for (var at = 0; at < outputs.Length; at += width)
            {
                response.Classes.Add(Prediction.ClassOf(outputs.AsSpan(at, width), network.Job.Loss));
            }

            response.Outputs.AddRange(outputs);
        }

        return response;
    }

    // The writer writes as it can; what waits between it and the caller is bounded by the pipe.
    private static async Task WriteAsync(
        TrainedNetwork network, IServerStreamWriter<ExportChunk> replies, CancellationToken cancellation)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 4 * ChunkBytes, resumeWriterThreshold: 2 * ChunkBytes));
        var writing = Task.Run(() => Write(network, pipe.Writer), CancellationToken.None);
        try
        {
            await using var stream = pipe.Reader.AsStream();
            var chunk = new byte[ChunkBytes];
            int length;
            while ((length = await stream.ReadAtLeastAsync(chunk, ChunkBytes, throwOnEndOfStream: false, cancellation)) > 0)
            {
                await replies.WriteAsync(new ExportChunk { Data = ByteString.CopyFrom(chunk, 0, length) }, cancellation);
            }
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
            await writing;
        }
    }

    private static void Write(TrainedNetwork network, PipeWriter pipe)
    {
        Exception? failure = null;
        try
        {
            using var stream = pipe.AsStream(leaveOpen: true);
            using var hash = new WeightsHash();
            foreach (var layer in network.Parameters)
            {
                hash.Append(layer);
            }

            using var writer = new SafetensorsWriter(stream, NamesOf(network.Graph), SafetensorsWriter.MetadataOf(hash.ToString()));
            foreach (var layer in network.Parameters)
            {
                // In pieces: what is written at once waits at once.
                for (var at = 0; at < layer.Length; at += ChunkBytes / sizeof(float))
                {
                    writer.Append(layer.AsSpan(at, Math.Min(ChunkBytes / sizeof(float), layer.Length - at)));
                }
            }

            writer.Complete();
        }
#pragma warning disable CA1031 // The reader throws it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = e;
        }

        pipe.Complete(failure);
    }

    private static IEnumerable<(string Name, Shape Shape)> NamesOf(Graph graph) =>
        from node in graph.Nodes
        from slot in node.Layer.Parameters.Slots
        select ($"{node.Name}.{slot.Name}", slot.Shape);
}
