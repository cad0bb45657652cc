using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Explain;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Explain;

/// <summary>
/// Writes down one step of one replica whose layers share a thread: copies what layers and loss show, in the order in
/// which it happens, and says so when all layers have updated.
/// </summary>
/// <param name="graph">The network.</param>
/// <param name="receiver">Is told <see cref="PassRecorded"/>.</param>
internal sealed class PassRecorder(Graph graph, IActorRef receiver) : IPassObserver
{
    private readonly RecordedPass _pass = new(graph);
    private int _updated;

    /// <inheritdoc/>
    public void OnForward(
        MicroBatchKey key, GraphNode node, ReadOnlySpan<Tensor> inputs, Parameters parameters, Tensor output, Pullback? pullback)
    {
        var layer = _pass.Layers[node.Index];
        layer.Output = Copy(output);
        layer.Before = Copy(parameters.Vector);
        var derivative = new float[output.Length];
        layer.Derivative = pullback?.TryWriteDerivative(derivative) == true ? derivative : null;
        if (node.Inputs.IndexOf(GraphNode.InputIndex) is >= 0 and var position && _pass.Features.Length == 0)
        {
            _pass.Features = Copy(inputs[position]);
        }

        _pass.Add(MomentKind.Forward, node.Index);
    }

    /// <inheritdoc/>
    public void OnJudged(MicroBatchKey key, ReadOnlySpan<int> labels, double lossSum, long correct, Tensor? delta)
    {
        _pass.Labels = labels.ToArray();
        (_pass.LossSum, _pass.Correct) = (lossSum, correct);
        _pass.LossDelta = delta is null ? [] : Copy(delta);
        _pass.Add(MomentKind.Loss, -1);
    }

    /// <inheritdoc/>
    public void OnDeltas(MicroBatchKey key, GraphNode node, ReadOnlySpan<Tensor> parts)
    {
        var copies = new float[parts.Length][];
        for (var part = 0; part < parts.Length; part++)
        {
            copies[part] = Copy(parts[part]);
        }

        _pass.Layers[node.Index].DeltaParts = copies;
    }

    /// <inheritdoc/>
    public void OnDelta(MicroBatchKey key, GraphNode node, Tensor delta)
    {
        _pass.Layers[node.Index].Delta = Copy(delta);
        _pass.Add(MomentKind.Delta, node.Index);
    }

    /// <inheritdoc/>
    public void OnBackward(MicroBatchKey key, GraphNode node, Parameters gradient)
    {
        _pass.Layers[node.Index].Gradient = Copy(gradient.Vector);
        if (node.Layer.Parameters.Length > 0)
        {
            _pass.Add(MomentKind.Gradient, node.Index);
        }
    }

    /// <inheritdoc/>
    public void OnUpdated(long step, GraphNode node, double rate, Parameters parameters)
    {
        var layer = _pass.Layers[node.Index];
        layer.After = Copy(parameters.Vector);
        layer.Rate = rate;
        if (node.Layer.Parameters.Length > 0)
        {
            _pass.Add(MomentKind.Update, node.Index);
        }

        _updated++;
        if (_updated == _pass.Layers.Length)
        {
            receiver.Tell(new PassRecorded(_pass));
        }
    }

    private static float[] Copy(Tensor tensor) => tensor.Floats.ToArray();
}

/// <summary>All layers of a recorder have gone forward, backward, and updated.</summary>
/// <param name="Pass">What they did; nobody writes it any more.</param>
internal sealed record PassRecorded(RecordedPass Pass) : INoSerializationVerificationNeeded;
