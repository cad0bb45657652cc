using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>What the layers of a node begin with: drawn afresh, or from the state that has come. Owns it until disposed.</summary>
/// <param name="scope">What runs here.</param>
/// <param name="state">What has come; borrowed.</param>
/// <param name="pool">Lends memory.</param>
internal sealed class LayerStates(GenerationScope scope, TrainingState state, TensorPool pool) : IDisposable
{
    private readonly Dictionary<int, Parameters> _parameters = [];

    /// <summary>What one layer of one replica begins with; the caller owns it.</summary>
    /// <exception cref="LayerException">There is no memory for it.</exception>
    public Restore Of(int replica, int layer)
    {
        var node = scope.Graph.Nodes[layer];
        if (!_parameters.TryGetValue(layer, out var parameters))
        {
            parameters = Rent(node);
            _parameters.Add(layer, parameters);
            Fill(parameters, node, new StateVector(layer, 0, StateSlot.Parameters));
        }

        var restore = new Restore(scope.Prepare.Generation, parameters.Share());
        return scope.Prepare.Origin == StateOrigin.Full && node.Layer.Parameters.Length > 0
            ? WithTheRest(restore, node, replica)
            : restore;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var parameters in _parameters.Values)
        {
            parameters.Dispose();
        }

        _parameters.Clear();
    }

    private Restore WithTheRest(Restore restore, GraphNode node, int replica)
    {
        var isLeader = scope.LeaderOf(node.Index) == replica;
        if (!scope.AveragesParameters)
        {
            return isLeader ? restore with { State = OptimizerStateOf(node, 0) } : restore;
        }

        var own = Rent(node);
        Fill(own, node, new StateVector(node.Index, replica, StateSlot.OwnParameters));
        return restore with
        {
            Own = own,
            State = OptimizerStateOf(node, replica),
            Momentum = isLeader ? Copy(new StateVector(node.Index, 0, StateSlot.OuterMomentum)) : null,
            Counts = ReplicaCounts.Read(state[new StateVector(node.Index, replica, StateSlot.Counts)]),
        };
    }

    private OptimizerState OptimizerStateOf(GraphNode node, int replica) => OptimizerState.Of(
        Enumerable.Range(0, scope.Optimizer.Slots)
            .Select(slot => Copy(new StateVector(node.Index, replica, StateSlot.Optimizer + slot))));

    // Whoever sent it may still hold it: what is trained with is nobody else's.
    private Tensor Copy(StateVector vector)
    {
        var copy = Tensor.Rent(pool, state[vector].Shape);
        state[vector].Floats.CopyTo(copy.Floats);
        return copy;
    }

    private void Fill(Parameters parameters, GraphNode node, StateVector vector)
    {
        var layer = node.Layer;
        if (scope.Prepare.Origin == StateOrigin.Fresh)
        {
            layer.Initialize(parameters, node.Name, scope.Prepare.Job.Seed);
        }
        else if (layer.Parameters.Length > 0)
        {
            state[vector].Floats.CopyTo(parameters.Vector.Floats);
        }

        for (var start = 0; start < layer.Parameters.Length; start += layer.UpdateBlock)
        {
            layer.Prepare(parameters, start, Math.Min(layer.UpdateBlock, layer.Parameters.Length - start));
        }
    }

    private Parameters Rent(GraphNode node)
    {
        try
        {
            return Parameters.Rent(pool, node.Layer.Parameters, node.Layer.PackedLength);
        }
        catch (Exception e) when (e is OutOfMemoryException or OverflowException)
        {
            throw new LayerException(
                node.Name,
                scope.Prepare.AfterStep,
                new InvalidOperationException($"no memory for its {node.Layer.Parameters.Length} parameters", e));
        }
    }
}
