using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// The vector-Jacobian product that a forward pass leaves behind: it turns the delta at a layer's output, ∂loss/∂output,
/// into the deltas at its inputs and adds to the layer's gradient. Apply it once and dispose of it, or only dispose.
/// </summary>
public abstract class Pullback : IDisposable
{
    /// <summary>Whether an input of the forward pass was finite; null where it was not kept.</summary>
    /// <param name="input">Which of the layer's inputs.</param>
    public virtual bool? IsInputFinite(int input) => null;

    /// <summary>
    /// The local derivative that was kept, element by element of the output: what the delta at the output is multiplied by
    /// first of all. For people who want to see it; the way back itself uses a kernel.
    /// </summary>
    /// <param name="derivative">As many elements as the output has; written where there is such a derivative.</param>
    /// <returns>False where each element is passed on as it is, or where elements depend on each other (softmax).</returns>
    public virtual bool TryWriteDerivative(Span<float> derivative) => false;

    /// <summary>Goes back through the layer.</summary>
    /// <param name="delta">∂loss/∂output, shaped as the output. Taken: the pullback disposes of it or passes it on.</param>
    /// <param name="pass">Where the gradient goes and which input deltas are wanted.</param>
    /// <param name="inputDeltas">
    /// Receives ∂loss/∂input for each input wanted (owned by the caller), and null for the others.
    /// </param>
    public abstract void Apply(Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas);

    /// <summary>Gives up what was kept from the forward pass.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="Dispose()"/>
    protected abstract void Dispose(bool disposing);
}
