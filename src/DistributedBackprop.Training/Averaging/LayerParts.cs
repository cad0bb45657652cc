using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;

namespace DistributedBackprop.Training.Averaging;

/// <summary>
/// Which part of a layer's vector each of its peers averages and updates, cut at the layer's blocks; and the chunks of a
/// part, which are summed, updated and sent as one.
/// </summary>
/// <param name="layer">The layer.</param>
/// <param name="replicas">How many peers there are, ≥ 1.</param>
public sealed class LayerParts(Layer layer, int replicas)
{
    // 320 KB: enough for a frame to cost little beside its bytes, and little enough that sums begin while others come.
    private const int MaxChunkElements = 81_920;

    private readonly int _blocks = (layer.Parameters.Length + layer.UpdateBlock - 1) / layer.UpdateBlock;

    /// <summary>The elements that a peer owns; none where there are fewer blocks than peers.</summary>
    public Slice Of(int replica) => Elements(Slices.OfReplica(_blocks, replicas, replica));

    /// <summary>The chunks of a peer's part, in order: as few as can be, and of like sizes.</summary>
    public ImmutableArray<Slice> ChunksOf(int replica)
    {
        var part = Slices.OfReplica(_blocks, replicas, replica);
        var blocks = Math.Max(1, MaxChunkElements / layer.UpdateBlock);
        var chunks = (part.Length + blocks - 1) / blocks;
        return
        [
            .. Enumerable.Range(0, chunks)
                .Select(chunk => Slices.OfReplica(part.Length, chunks, chunk))
                .Select(slice => Elements(slice with { Start = part.Start + slice.Start })),
        ];
    }

    private Slice Elements(Slice blocks)
    {
        var start = Math.Min(layer.Parameters.Length, (long)blocks.Start * layer.UpdateBlock);
        var end = Math.Min(layer.Parameters.Length, (long)(blocks.Start + blocks.Length) * layer.UpdateBlock);
        return new Slice((int)start, (int)(end - start));
    }
}
