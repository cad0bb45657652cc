using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>The delta at a layer's output where several consumers read it: the sum of theirs.</summary>
internal static class DeltaSum
{
    /// <summary>Adds in graph order, the first copied. Takes the tensors; the caller owns the result.</summary>
    public static Tensor InGraphOrder(ReadOnlySpan<Tensor> deltas)
    {
        if (deltas.Length == 1)
        {
            return deltas[0];
        }

        var sum = deltas[0].ToSole();
        foreach (var delta in deltas[1..])
        {
            sum.Add(delta);
            delta.Dispose();
        }

        return sum;
    }
}
