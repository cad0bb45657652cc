using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>A range of one vector of a job's state. Whoever has it owns the tensor.</summary>
/// <param name="Vector">Which vector.</param>
/// <param name="Start">The first element in the vector.</param>
/// <param name="Value">The elements.</param>
public readonly record struct StateRange(StateVector Vector, int Start, Tensor Value)
{
    /// <summary>All of a state, a second owner's: the state itself stays whose it is.</summary>
    /// <param name="state">The state, complete; borrowed.</param>
    public static IReadOnlyList<StateRange> AllOf(TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return [.. state.Layout.Vectors.Select(vector => new StateRange(vector, 0, state[vector].Share()))];
    }
}
