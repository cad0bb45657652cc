using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Averaging;

/// <summary>
/// One update of one layer by its K replicas in this process: each sums, updates and prepares its own part of the
/// vector, so that nothing is copied or done twice. All parts done, all replicas go on with the same parameters.
/// </summary>
/// <param name="Step">The step, from 1.</param>
/// <param name="LearningRate">Of this step and this layer.</param>
/// <param name="Gradients">One per replica, in their order; the first receives the sum.</param>
/// <param name="Old">The parameters before.</param>
/// <param name="New">The parameters after: on the memory of <paramref name="Old"/>, or on some that nobody reads yet.</param>
/// <param name="State">The optimizer's slots.</param>
public sealed record SharedUpdate(
    long Step,
    double LearningRate,
    IReadOnlyList<Parameters> Gradients,
    Parameters Old,
    Parameters New,
    OptimizerState State)
{
    /// <summary>Does one replica's part.</summary>
    /// <param name="layer">Whose parameters they are.</param>
    /// <param name="optimizer">How to update.</param>
    /// <param name="replica">Whose part.</param>
    /// <param name="tiles">Runs the blocks.</param>
    public void Apply(Layer layer, Optimizer optimizer, int replica, ITiles tiles)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(tiles);
        var blocks = (layer.Parameters.Length + layer.UpdateBlock - 1) / layer.UpdateBlock;
        var part = Slices.OfReplica(blocks, Gradients.Count, replica);
        tiles.Run(new Blocks(this, layer, optimizer, part.Start), part.Length);
    }

    private sealed class Blocks(SharedUpdate update, Layer layer, Optimizer optimizer, int firstBlock) : TileWork
    {
        private readonly Parameters[] _gradients = [.. update.Gradients];

        public override void RunTile(int tile)
        {
            var start = (firstBlock + tile) * layer.UpdateBlock;
            var length = Math.Min(layer.UpdateBlock, layer.Parameters.Length - start);
            TreeSum.InPlace(_gradients, start, length);
            if (!update.Old.Vector.IsSameMemoryAs(update.New.Vector))
            {
                update.Old.Vector.Floats.Slice(start, length).CopyTo(update.New.Vector.Floats[start..]);
            }

            optimizer.Update(
                update.Step,
                update.LearningRate,
                new OptimizerPart(
                    update.New.Vector.Floats.Slice(start, length),
                    _gradients[0].Vector.Floats.Slice(start, length),
                    update.State.Part(0, start, length),
                    update.State.Part(1, start, length)));
            layer.Prepare(update.New, start, length);
        }
    }
}
