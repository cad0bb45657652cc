using System.Collections.Immutable;
using System.Runtime.Serialization;
using DistributedBackprop.Actors.Nodes;
using Google.Protobuf;

namespace DistributedBackprop.Actors.Wire;

/// <summary>
/// What a node did in a generation. It is for people, and the end of a generation must never fail for it: where a node has
/// so many stages that all would not fit into a message, the last links, then the last stages, then the peaks of the last
/// stages are left out.
/// </summary>
internal static class StatisticsForm
{
    // Room is left for what else is in the message.
    private const int MaxSize = WireSerializer.MaxBytes - 10_000;

    // Links are few but where nodes are very many: they leave half to the stages.
    private const int MaxLinksSize = MaxSize / 2;

    // Before each part in a list: its field and its length.
    private const int Prefix = 4;

    public static Messages.NodeStatistics Write(NodeStatistics statistics)
    {
        var wire = new Messages.NodeStatistics
        {
            Node = WireFields.Name(statistics.Node, "node"),
            ProcessId = statistics.ProcessId,
            AveragingBytes = statistics.AveragingBytes,
            AveragingRounds = statistics.AveragingRounds,
            AveragingSecondsBits = BitConverter.DoubleToUInt64Bits(statistics.AveragingSeconds),
            Overlaps = statistics.Overlaps,
        };
        var size = 0;
        wire.Links.AddRange(statistics.Links.Select(Write).TakeWhile(link => Fits(link, MaxLinksSize, ref size)));
        wire.Stages.AddRange(statistics.Stages.Select(Write).TakeWhile(stage => Fits(stage, MaxSize, ref size)));
        foreach (var (stage, from) in wire.Stages.Zip(statistics.Stages))
        {
            var bare = stage.CalculateSize();
            foreach (var (layer, peak) in from.Peaks.OrderBy(pair => pair.Key))
            {
                stage.Layers.Add(layer);
                stage.Peaks.Add(peak);
            }

            // Two more fields with their lengths.
            size += stage.CalculateSize() - bare + (2 * Prefix);
            if (size > MaxSize)
            {
                stage.Layers.Clear();
                stage.Peaks.Clear();
                break;
            }
        }

        return wire;
    }

    public static NodeStatistics Read(Messages.NodeStatistics wire) => new(
        WireFields.Name(wire.Node, "node"),
        WireFields.Number(wire.ProcessId, "process_id", 0, int.MaxValue),
        [.. wire.Stages.Select(Read)],
        [.. wire.Links.Select(Read)],
        GenerationFields.Count(wire.AveragingBytes, "averaging_bytes"),
        GenerationFields.Count(wire.AveragingRounds, "averaging_rounds"),
        BitConverter.UInt64BitsToDouble(wire.AveragingSecondsBits),
        GenerationFields.Count(wire.Overlaps, "overlaps"));

    private static bool Fits(IMessage part, int most, ref int size) => (size += part.CalculateSize() + Prefix) <= most;

    private static Messages.StageStatistics Write(StageStatistics stage) => new()
    {
        Replica = stage.Replica,
        Stage = stage.Stage,
        BusySecondsBits = BitConverter.DoubleToUInt64Bits(stage.BusySeconds),
        BubbleBits = BitConverter.DoubleToUInt64Bits(stage.Bubble),
        BubbleSteps = stage.BubbleSteps,
        LastBubbleBits = BitConverter.DoubleToUInt64Bits(stage.LastBubble),
    };

    private static StageStatistics Read(Messages.StageStatistics wire) => new(
        GenerationFields.Replica(wire.Replica),
        GenerationFields.Place(wire.Stage, "stage"),
        BitConverter.UInt64BitsToDouble(wire.BusySecondsBits),
        BitConverter.UInt64BitsToDouble(wire.BubbleBits),
        GenerationFields.Count(wire.BubbleSteps, "bubble_steps"),
        BitConverter.UInt64BitsToDouble(wire.LastBubbleBits),
        PeaksOf(wire));

    private static ImmutableDictionary<int, int> PeaksOf(Messages.StageStatistics wire)
    {
        _ = WireFields.Number(wire.Peaks.Count, "peaks", wire.Layers.Count, wire.Layers.Count);
        var peaks = ImmutableDictionary.CreateBuilder<int, int>();
        foreach (var (layer, peak) in wire.Layers.Zip(wire.Peaks))
        {
            if (!peaks.TryAdd(GenerationFields.Place(layer, "layers"), WireFields.Number(peak, "peaks", 0, int.MaxValue)))
            {
                throw new SerializationException($"layers must have each once (has {layer} twice)");
            }
        }

        return peaks.ToImmutable();
    }

    private static Messages.LinkStatistics Write(LinkStatistics link) => new()
    {
        To = WireFields.Name(link.To, "to"),
        Activations = link.Activations,
        Deltas = link.Deltas,
        Averaging = link.Averaging,
        State = link.State,
    };

    private static LinkStatistics Read(Messages.LinkStatistics wire) => new(
        WireFields.Name(wire.To, "to"),
        GenerationFields.Count(wire.Activations, "activations"),
        GenerationFields.Count(wire.Deltas, "deltas"),
        GenerationFields.Count(wire.Averaging, "averaging"),
        GenerationFields.Count(wire.State, "state"));
}
