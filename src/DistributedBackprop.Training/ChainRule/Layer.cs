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

    /// <summary>Elements of what the layer derives from its parameters for its kernels; 0 for nothing.</summary>
    public virtual int PackedLength => 0;

    /// <summary>
    /// Elements of the parameter vector that are averaged, updated and prepared as one: a cut between two peers or two
    /// threads falls at its multiples.
    /// </summary>
    public virtual int UpdateBlock => 4096;

    /// <summary>A measure of the layer's work for one example, in multiply-adds: cuts stages evenly.</summary>
    public virtual long WorkPerExample => OutputShape.Length;

    /// <summary>Writes the parameters a fresh network begins with (EXACT.md, "Layers, losses, defaults").</summary>
    /// <param name="parameters">Of this layer; borrowed.</param>
    /// <param name="name">The layer's name: keys the random numbers.</param>
    /// <param name="seed">The job's seed.</param>
    public virtual void Initialize(Parameters parameters, string name, long seed)
    {
    }

    /// <summary>
    /// Derives from a part of the parameters what the kernels want (packed weights). Whoever writes parameters calls it
    /// for what was written before anybody applies the layer to them; different parts may be prepared at once.
    /// </summary>
    /// <param name="parameters">Of this layer; borrowed.</param>
    /// <param name="start">The first element, a multiple of <see cref="UpdateBlock"/>.</param>
    /// <param name="length">How many elements: to the next multiple, or to the end.</param>
    public virtual void Prepare(Parameters parameters, int start, int length)
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
