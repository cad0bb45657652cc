using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Averaging;

/// <summary>
/// One round of parameter averaging (local SGD; Stich 2019) for one layer, with an outer optimizer (DiLoCo; Douillard et
/// al. 2023): with θ the last round's parameters and Δ = θ − the replicas' mean, weighted by their examples since then,
/// b ← μ·b + Δ and θ ← θ − η·(Δ + μ·b) with Nesterov, else θ − η·b. Each peer does its own part of the vector.
/// </summary>
/// <param name="Choice">The outer optimizer, and what becomes of the inner state.</param>
/// <param name="Weights">Of each replica: its share of the examples since the last round.</param>
/// <param name="Replicas">The replicas' parameters, in their order; read.</param>
/// <param name="States">The vectors of each replica's optimizer state; written where they are averaged, else not read.</param>
/// <param name="Old">The last round's parameters.</param>
/// <param name="New">This round's: on the memory of <paramref name="Old"/>, or on some that nobody reads yet.</param>
/// <param name="Momentum">b, as long as the parameters.</param>
public sealed record ParameterRound(
    ParameterAveraging Choice,
    IReadOnlyList<float> Weights,
    IReadOnlyList<Leaf> Replicas,
    IReadOnlyList<IReadOnlyList<Leaf>> States,
    Parameters Old,
    Parameters New,
    Tensor Momentum)
{
    /// <summary>Each replica's share of the examples, cast once.</summary>
    public static IReadOnlyList<float> WeightsOf(IReadOnlyList<long> examples)
    {
        var total = (double)examples.Sum();
        return [.. examples.Select(count => (float)(count / total))];
    }

    /// <summary>Does a range of the vector.</summary>
    /// <param name="layer">Whose parameters they are.</param>
    /// <param name="range">Which elements: from the start of a block to the end of one.</param>
    /// <param name="workspace">What to compute with.</param>
    public void Apply(Layer layer, Slice range, Workspace workspace)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(workspace);
        workspace.Tiles.Run(
            new Blocks(this, layer, range, workspace.Pool), (range.Length + layer.UpdateBlock - 1) / layer.UpdateBlock);
    }

    private void OuterStep(Span<float> mean, int start)
    {
        var old = Old.Vector.Floats.Slice(start, mean.Length);
        var next = New.Vector.Floats.Slice(start, mean.Length);
        if (Choice.Outer is { LearningRate: 1, Momentum: 0 })
        {
            // θ − (θ − mean) would round: plain averaging takes the mean itself.
            mean.CopyTo(next);
            return;
        }

        var rate = -(float)Choice.Outer.LearningRate;
        var momentum = (float)Choice.Outer.Momentum;
        var buffer = Momentum.Floats.Slice(start, mean.Length);
        for (var i = 0; i < mean.Length; i++)
        {
            var change = old[i] - mean[i];
            buffer[i] = MathF.FusedMultiplyAdd(momentum, buffer[i], change);
            var step = Choice.Outer.Nesterov ? MathF.FusedMultiplyAdd(momentum, buffer[i], change) : buffer[i];
            next[i] = MathF.FusedMultiplyAdd(rate, step, old[i]);
        }
    }

    private sealed class Blocks(ParameterRound round, Layer layer, Slice range, TensorPool pool) : TileWork
    {
        public override void RunTile(int tile)
        {
            var start = range.Start + (tile * layer.UpdateBlock);
            var length = Math.Min(layer.UpdateBlock, range.Start + range.Length - start);
            using var scratch = Tensor.Rent(pool, new Shape(round.Replicas.Count, length));
            for (var replica = 0; replica < round.Replicas.Count; replica++)
            {
                Weigh(round.Replicas[replica].Part(start, length), replica, scratch);
            }

            round.OuterStep(TreeSum.OfRows(scratch), start);
            if (round.Choice.InnerState == InnerState.Average)
            {
                AverageStates(start, length, scratch);
            }

            layer.Prepare(round.New, start, length);
        }

        private void AverageStates(int start, int length, Tensor scratch)
        {
            for (var slot = 0; slot < round.States[0].Count; slot++)
            {
                for (var replica = 0; replica < round.States.Count; replica++)
                {
                    Weigh(round.States[replica][slot].Part(start, length), replica, scratch);
                }

                var mean = TreeSum.OfRows(scratch);
                foreach (var state in round.States)
                {
                    mean.CopyTo(state[slot].Part(start, length));
                }
            }
        }

        private void Weigh(ReadOnlySpan<float> values, int replica, Tensor scratch)
        {
            var row = scratch.Floats.Slice(replica * values.Length, values.Length);
            values.CopyTo(row);
            ActivationKernels.Scale(row, round.Weights[replica]);
        }
    }
}
