using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// Sets each element to zero with a probability and scales the others by 1/(1−rate) (Srivastava et al. 2014), in
/// training only. Which elements is keyed by the step, the example's position in the step's whole minibatch and the
/// element: the same however the minibatch is cut.
/// </summary>
public sealed class DropoutLayer : Layer
{
    private readonly Philox _random;
    private readonly float _rate;
    private readonly float _scale;

    /// <summary>Makes the layer.</summary>
    /// <param name="input">The shape of its input, and of its output, for one example.</param>
    /// <param name="rate">The probability: 0 ≤ rate &lt; 1.</param>
    /// <param name="name">The layer's name: keys the random numbers.</param>
    /// <param name="seed">The job's seed.</param>
    public DropoutLayer(Shape input, double rate, string name, long seed)
    {
        OutputShape = input;
        _rate = (float)rate;
        _scale = (float)(1 / (1 - rate));
        _random = new Philox(seed, "dropout", name);
    }

    /// <inheritdoc/>
    public override string Kind => "dropout";

    /// <inheritdoc/>
    public override Shape OutputShape { get; }

    /// <inheritdoc/>
    public override (Tensor Output, Pullback? Pullback) Forward(
        Parameters parameters, ReadOnlySpan<Tensor> inputs, in ForwardPass pass)
    {
        if (!pass.IsTraining)
        {
            return (inputs[0].Share(), null);
        }

        // The factor of each element, scale or +0, is the derivative itself: it is all the pullback keeps.
        var factors = Tensor.Rent(pass.Workspace.Pool, inputs[0].Shape);
        var output = Tensor.Rent(pass.Workspace.Pool, inputs[0].Shape);
        for (var example = 0; example < inputs[0].Shape[0]; example++)
        {
            var row = factors.Floats.Slice(example * OutputShape.Length, OutputShape.Length);
            _random.FillUniform(row, 0, (uint)(pass.FirstPosition + example), pass.Step);
            foreach (ref var factor in row)
            {
                factor = factor < _rate ? 0 : _scale;
            }
        }

        Choose(inputs[0].Floats, factors.Floats, output.Floats);
        return (output, new Way(factors));
    }

    // A dropped element is +0 whatever it was: a product with zero would keep the sign, and a NaN.
    private static void Choose(ReadOnlySpan<float> values, ReadOnlySpan<float> factors, Span<float> chosen)
    {
        for (var i = 0; i < chosen.Length; i++)
        {
            chosen[i] = factors[i] == 0 ? 0 : values[i] * factors[i];
        }
    }

    private sealed class Way(Tensor factors) : Pullback
    {
        public override bool TryWriteDerivative(Span<float> derivative)
        {
            factors.Floats.CopyTo(derivative);
            return true;
        }

        public override void Apply(Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas)
        {
            inputDeltas[0] = null;
            if (pass.InputDeltaWanted.Span[0])
            {
                delta = delta.ToSole();
                Choose(delta.Floats, factors.Floats, delta.Floats);
                inputDeltas[0] = delta;
            }
            else
            {
                delta.Dispose();
            }
        }

        protected override void Dispose(bool disposing) => factors.Dispose();
    }
}
