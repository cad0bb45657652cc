using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>Parameters that a job is given to begin with, as the state that its layers are sent.</summary>
internal static class InitialState
{
    /// <summary>Puts named parameters into vectors.</summary>
    /// <param name="parameters">By full name (<c>layer.parameter</c>), complete.</param>
    /// <param name="graph">The network.</param>
    /// <param name="layout">The parameters of its layers.</param>
    /// <param name="pool">Lends memory.</param>
    /// <exception cref="ArgumentException">One is missing.</exception>
    public static TrainingState Of(
        ImmutableDictionary<string, float[]> parameters, Graph graph, StateLayout layout, TensorPool pool)
    {
        var names = layout.Vectors.SelectMany(vector => graph.Nodes[vector.Layer].Layer.Parameters.Slots
            .Select(slot => $"{graph.Nodes[vector.Layer].Name}.{slot.Name}"));
        if (names.FirstOrDefault(name => !parameters.ContainsKey(name)) is { } missing)
        {
            throw new ArgumentException($"parameter {missing} is missing", nameof(parameters));
        }

        var state = new TrainingState(layout, pool);
        foreach (var vector in layout.Vectors)
        {
            var node = graph.Nodes[vector.Layer];
            var tensor = Tensor.Rent(pool, new Shape(node.Layer.Parameters.Length));
            foreach (var slot in node.Layer.Parameters.Slots)
            {
                parameters[$"{node.Name}.{slot.Name}"].CopyTo(tensor.Floats[slot.Offset..]);
            }

            state.Add(vector, 0, tensor);
        }

        return state;
    }
}
