using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// A function of parameters and inputs that knows its derivative: applying it returns its value and leaves behind the
/// way back, a <see cref="Pullback"/>. It holds no state: the same arguments give the same bits.
/// </summary>
public abstract class Layer
{
    /// <summary>The kind as job files name it, e.g. <c>dense</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>The shape of the output for one example.</summary>
    public abstract Shape OutputShape { get; }

    /// <summary>The layer's parameters.</summary>
    public virtual ParameterLayout Parameters => ParameterLayout.None;

    /// <summary>
    /// Derives from the parameters what the kernels want (packed weights). Called by whoever has written the
    /// parameters, once, before anybody applies the layer to them.
    /// </summary>
    /// <param name="parameters">Of this layer; borrowed.</param>
    /// <param name="workspace">What to compute with.</param>
    public virtual void Prepare(Parameters parameters, Workspace workspace)
    {
    }

    /// <summary>Applies the layer to a micro-batch.</summary>
    /// <param name="parameters">Of this layer, prepared; borrowed.</param>
    /// <param name="inputs">One <c>[examples, …]</c> per input; borrowed. There may be no examples.</param>
    /// <param name="pass">Which forward pass this is.</param>
    /// <returns>
    /// The output <c>[examples, …]</c>, and the way back, or null where the pass is no training. The caller owns both.
    /// </returns>
    public abstract (Tensor Output, Pullback? Pullback) Forward(
        Parameters parameters, ReadOnlySpan<Tensor> inputs, in ForwardPass pass);
}
