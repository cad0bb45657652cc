namespace DistributedBackprop.Actors.Pipeline;

/// <summary>A layer failed: the job ends with the layer's name, the step and the reason.</summary>
/// <param name="layer">The layer's name.</param>
/// <param name="step">The step it worked on, from 1.</param>
/// <param name="inner">What happened.</param>
public sealed class LayerException(string layer, long step, Exception inner)
    : Exception($"Layer {layer} failed at step {step}: {inner.Message}", inner)
{
    /// <summary>The layer's name.</summary>
    public string Layer { get; } = layer;

    /// <summary>The step it worked on, from 1.</summary>
    public long Step { get; } = step;
}
