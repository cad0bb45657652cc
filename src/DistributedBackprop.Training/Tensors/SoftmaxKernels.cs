using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

/// <summary>Softmax over the last axis, a row at a time; its sums go in the lanes of <see cref="RowReductions"/>.</summary>
public static class SoftmaxKernels
{
    /// <summary>pᵢ = exp(xᵢ − m)/Σⱼ exp(xⱼ − m) with m = max x, in every row.</summary>
    /// <param name="input">x [rows, length].</param>
    /// <param name="output">p [rows, length]; it may be the input itself, else they do not overlap.</param>
    /// <param name="length">Length of a row, ≥ 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public static void Softmax(ReadOnlySpan<float> input, Span<float> output, int length)
    {
        RequireRows(input.Length, output.Length, length);
        for (var i = 0; i < input.Length; i += length)
        {
            SoftmaxRow(input.Slice(i, length), output.Slice(i, length));
        }
    }

    /// <summary>δxᵢ = pᵢ·(δᵢ − Σⱼ δⱼ·pⱼ), in every row, in place of δ.</summary>
    /// <param name="output">p [rows, length], the forward pass's output.</param>
    /// <param name="delta">δ [rows, length], of the output; becomes that of the input.</param>
    /// <param name="length">Length of a row, ≥ 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public static void SoftmaxPullback(ReadOnlySpan<float> output, Span<float> delta, int length)
    {
        RequireRows(output.Length, delta.Length, length);
        for (var i = 0; i < output.Length; i += length)
        {
            var p = output.Slice(i, length);
            var d = delta.Slice(i, length);
            Elementwise.Zip(new PullbackZip(RowReductions.Dot(d, p)), p, d);
        }
    }

    /// <summary>One row's softmax; the row's maximum and the sum of the exponentials serve a loss.</summary>
    internal static (float Maximum, float Sum) SoftmaxRow(ReadOnlySpan<float> x, Span<float> p)
    {
        var maximum = RowReductions.Maximum(x);
        var sum = RowReductions.SumOfExponentials(x, maximum, p);
        Elementwise.Map(new DivideMap(sum), p, p);
        return (maximum, sum);
    }

    private static void RequireRows(int first, int second, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        if (first != second || first % length != 0)
        {
            throw new ArgumentException($"Spans of {first} and {second} elements are not the same rows of {length}.");
        }
    }

    private readonly struct DivideMap(float divisor) : IElementwiseMap
    {
        private readonly Vector256<float> _divisor = Vector256.Create(divisor);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> x) => x / _divisor;
    }

    private readonly struct PullbackZip(float dot) : IElementwiseZip
    {
        private readonly Vector256<float> _dot = Vector256.Create(dot);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> p, Vector256<float> delta) => p * (delta - _dot);
    }
}
