using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// Shares of the inputs of a layer that joins several. No derivative needs them; they tell which branch a number that is
/// not finite came from. Mostly the layers before keep the same memory anyway.
/// </summary>
internal sealed class KeptInputs : IDisposable
{
    private readonly Tensor[] _inputs;

    /// <param name="inputs">Borrowed.</param>
    public KeptInputs(ReadOnlySpan<Tensor> inputs)
    {
        _inputs = new Tensor[inputs.Length];
        for (var input = 0; input < inputs.Length; input++)
        {
            _inputs[input] = inputs[input].Share();
        }
    }

    /// <summary>Whether one of them is finite.</summary>
    public bool IsFinite(int input) => _inputs[input].IsFinite;

    /// <summary>The shape of one of them, the examples' axis first.</summary>
    public Shape ShapeOf(int input) => _inputs[input].Shape;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var input in _inputs)
        {
            input.Dispose();
        }
    }
}
