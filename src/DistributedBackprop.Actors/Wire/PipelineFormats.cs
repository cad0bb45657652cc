using System.Collections.Immutable;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Actors.Wire;

/// <summary>The messages without a tensor between the actors of one replica.</summary>
internal static class PipelineFormats
{
    public static ImmutableArray<WireFormat> All { get; } =
    [
        WireFormat.Of<Judged, Messages.Judged>(
            "judged",
            (message, _) => new()
            {
                Generation = message.Generation,
                Key = Write(message.Key),
                Replica = message.Replica,
                LossSumBits = BitConverter.DoubleToUInt64Bits(message.LossSum),
                Correct = message.Correct,
            },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                Read(wire.Key),
                GenerationFields.Replica(wire.Replica),
                BitConverter.UInt64BitsToDouble(wire.LossSumBits),
                GenerationFields.Count(wire.Correct, "correct"))),
        WireFormat.Of<TraceNonFinite, Messages.TraceNonFinite>(
            "trace-non-finite",
            (message, _) => new()
            {
                Generation = message.Generation,
                Key = Write(message.Key),
                Replica = message.Replica,
                Edge = message.Edge,
            },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                Read(wire.Key),
                GenerationFields.Replica(wire.Replica),
                GenerationFields.Place(wire.Edge, "edge"))),
    ];

    private static Messages.MicroBatchKey Write(MicroBatchKey key) => new()
    {
        Step = key.Step,
        Index = key.Index,
        IsTraining = key.IsTraining,
    };

    private static MicroBatchKey Read(Messages.MicroBatchKey? wire)
    {
        var present = WireFields.Present(wire, "key");
        return new MicroBatchKey(
            GenerationFields.Step(present.Step, "step"),
            WireFields.Number(present.Index, "index", 0, int.MaxValue),
            present.IsTraining);
    }
}
