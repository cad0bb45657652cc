using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Averaging;

/// <summary>
/// One update of one layer by its K replicas: each sums, updates and prepares its own part of the vector, so that nothing
/// is done twice. All parts done, all replicas go on with the same parameters.
/// </summary>
/// <param name="Step">The step, from 1.</param>
/// <param name="LearningRate">Of this step and this layer.</param>
/// <param name="Gradients">One per replica, in their order; the first receives the sum, the others partial sums.</param>
/// <param name="Old">The parameters before.</param>
/// <param name="New">The parameters after: on the memory of <paramref name="Old"/>, or on some that nobody reads yet.</param>
/// <param name="State">The optimizer's slots.</param>
public sealed record SharedUpdate(
    long Step,
    double LearningRate,
    IReadOnlyList<Leaf> Gradients,
    Parameters Old,
    Parameters New,
    OptimizerState State)
{
    /// <summary>Does a range of the vector.</summary>
    /// <param name="layer">Whose parameters they are.</param>
    /// <param name="optimizer">How to update.</param>
    /// <param name="range">Which elements: from the start of a block to the end of one.</param>
    /// <param name="tiles">Runs the blocks.</param>
    public void Apply(Layer layer, Optimizer optimizer, Slice range, ITiles tiles)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(tiles);
        tiles.Run(new Blocks(this, layer, optimizer, range), (range.Length + layer.UpdateBlock - 1) / layer.UpdateBlock);
    }

    private sealed class Blocks(SharedUpdate update, Layer layer, Optimizer optimizer, Slice range) : TileWork
    {
        private readonly Leaf[] _gradients = [.. update.Gradients];

        public override void RunTile(int tile)
        {
            var start = range.Start + (tile * layer.UpdateBlock);
            var length = Math.Min(layer.UpdateBlock, range.Start + range.Length - start);
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
                    _gradients[0].Part(start, length),
                    update.State.Part(0, start, length),
                    update.State.Part(1, start, length)));
            layer.Prepare(update.New, start, length);
        }
    }
}
