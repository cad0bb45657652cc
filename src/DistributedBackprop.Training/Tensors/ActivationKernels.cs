namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// Elementwise activations and their derivatives, in place on whole spans. A forward kernel turns x into y; a pullback
/// turns δ = ∂loss/∂y into ∂loss/∂x = δ·∂y/∂x, from y where that suffices, else from x. Two spans are the same or do
/// not overlap; <see cref="ArgumentException"/> where their lengths differ.
/// </summary>
public static class ActivationKernels
{
    /// <summary>y = x ≤ 0 ? +0 : x; NaN passes.</summary>
    /// <param name="values">x, becomes y.</param>
    public static void Relu(Span<float> values) => Elementwise.Map(default(ReluMap), values, values);

    /// <summary>δx = y ≤ 0 ? +0 : δ.</summary>
    /// <param name="output">y.</param>
    /// <param name="delta">δ, becomes δx.</param>
    public static void ReluPullback(ReadOnlySpan<float> output, Span<float> delta) =>
        Elementwise.Zip(default(ReluPullbackZip), output, delta);

    /// <summary>y = x &gt; 0 ? x : slope·x.</summary>
    /// <param name="values">x, becomes y.</param>
    /// <param name="slope">≥ 0; 0.01 is usual. Not checked: with a negative one the sign of y would not tell that of x.</param>
    public static void LeakyRelu(Span<float> values, float slope) =>
        Elementwise.Map(new LeakyReluMap(slope), values, values);

    /// <summary>δx = y &gt; 0 ? δ : slope·δ.</summary>
    /// <param name="output">y.</param>
    /// <param name="delta">δ, becomes δx.</param>
    /// <param name="slope">The forward pass's, ≥ 0.</param>
    public static void LeakyReluPullback(ReadOnlySpan<float> output, Span<float> delta, float slope) =>
        Elementwise.Zip(new LeakyReluPullbackZip(slope), output, delta);

    /// <summary>y = 1/(1 + exp(−x)).</summary>
    /// <param name="values">x, becomes y.</param>
    public static void Sigmoid(Span<float> values) => Elementwise.Map(default(SigmoidMap), values, values);

    /// <summary>δx = δ·(y·(1 − y)).</summary>
    /// <param name="output">y.</param>
    /// <param name="delta">δ, becomes δx.</param>
    public static void SigmoidPullback(ReadOnlySpan<float> output, Span<float> delta) =>
        Elementwise.Zip(default(SigmoidPullbackZip), output, delta);

    /// <summary>y = tanh x.</summary>
    /// <param name="values">x, becomes y.</param>
    public static void Tanh(Span<float> values) => Elementary.Tanh(values, values);

    /// <summary>δx = δ·(1 − y·y).</summary>
    /// <param name="output">y.</param>
    /// <param name="delta">δ, becomes δx.</param>
    public static void TanhPullback(ReadOnlySpan<float> output, Span<float> delta) =>
        Elementwise.Zip(default(TanhPullbackZip), output, delta);

    /// <summary>y = ½x·(1 + erf(x/√2)) (D. Hendrycks, K. Gimpel, arXiv:1606.08415).</summary>
    /// <param name="values">x, becomes y.</param>
    public static void Gelu(Span<float> values) => Elementwise.Map(default(GeluMap), values, values);

    /// <summary>δx = δ·(x·exp(−½x²)/√(2π) + ½(1 + erf(x/√2))).</summary>
    /// <param name="input">x, before the activation.</param>
    /// <param name="delta">δ, becomes δx.</param>
    public static void GeluPullback(ReadOnlySpan<float> input, Span<float> delta) =>
        Elementwise.Zip(default(GeluPullbackZip), input, delta);

    /// <summary>y = ½x·(1 + tanh u), u = √(2/π)·(x + 0.044715·x³) (D. Hendrycks, K. Gimpel, arXiv:1606.08415).</summary>
    /// <param name="values">x, becomes y.</param>
    public static void GeluTanh(Span<float> values) => Elementwise.Map(default(GeluTanhMap), values, values);

    /// <summary>δx = δ·(½x·(1 − h²)·u′ + ½(1 + h)), h = tanh u, u′ = √(2/π)·(1 + 0.134145·x²).</summary>
    /// <param name="input">x, before the activation.</param>
    /// <param name="delta">δ, becomes δx.</param>
    public static void GeluTanhPullback(ReadOnlySpan<float> input, Span<float> delta) =>
        Elementwise.Zip(default(GeluTanhPullbackZip), input, delta);

    /// <summary>into[i] = into[i] + from[i].</summary>
    /// <param name="into">The sum so far.</param>
    /// <param name="from">What is added.</param>
    public static void Add(Span<float> into, ReadOnlySpan<float> from) => Elementwise.Zip(default(AddZip), from, into);

    /// <summary>values[i] = values[i]·factor.</summary>
    /// <param name="values">What is scaled.</param>
    /// <param name="factor">By what.</param>
    public static void Scale(Span<float> values, float factor) =>
        Elementwise.Map(new ScaleMap(factor), values, values);
}
