using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Cli.Train;

/// <summary>The full names of a network's parameters, as safetensors files have them: <c>dense1.weight</c>.</summary>
internal static class ParameterNames
{
    /// <summary>In graph order, weight before bias.</summary>
    public static IEnumerable<(string Name, Shape Shape)> Of(Graph graph) =>
        from node in graph.Nodes
        from slot in node.Layer.Parameters.Slots
        select ($"{node.Name}.{slot.Name}", slot.Shape);
}
