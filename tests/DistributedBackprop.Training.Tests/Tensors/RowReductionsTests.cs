using CsCheck;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Tensors;

public class RowReductionsTests
{
    private static readonly Gen<float[]> _rows = Gen.Single[-20f, 20f].Array[1, 70];

    [Fact]
    public void Reductions_go_in_sixteen_lanes_bit_for_bit() =>
        _rows.Sample(x =>
        {
            var y = x.Reverse().ToArray();
            BitsOf(RowReductions.Maximum(x)).ShouldBe(
                BitsOf(Lanes(x, float.NegativeInfinity, (lane, i) => Larger(lane, x[i]), Larger)));
            BitsOf(RowReductions.Sum(x)).ShouldBe(BitsOf(Lanes(x, 0f, (lane, i) => lane + x[i], (a, b) => a + b)));
            BitsOf(RowReductions.Dot(x, y)).ShouldBe(
                BitsOf(Lanes(x, 0f, (lane, i) => MathF.FusedMultiplyAdd(x[i], y[i], lane), (a, b) => a + b)));
        });

    [Fact]
    public void Special_values_take_the_same_way_through_the_lanes() =>
        Gen.OneOf(0f, -0f, 1e-45f, -1e-45f, 1e-30f, -1e-30f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1f)
            .Array[0, 40].Sample(x =>
            {
                var y = x.Reverse().ToArray();
                Reference.Bits(RowReductions.Maximum(x)).ShouldBe(
                    Reference.Bits(Lanes(x, float.NegativeInfinity, (lane, i) => Larger(lane, x[i]), Larger)));
                Reference.Bits(RowReductions.Sum(x)).ShouldBe(
                    Reference.Bits(Lanes(x, 0f, (lane, i) => lane + x[i], (a, b) => a + b)));
                Reference.Bits(RowReductions.Dot(x, y)).ShouldBe(Reference.Bits(
                    Lanes(x, 0f, (lane, i) => MathF.FusedMultiplyAdd(x[i], y[i], lane), (a, b) => a + b)));
            });

    [Fact]
    public void An_underflowing_product_leaves_minus_zero()
    {
        // fma(−tiny, tiny, +0) rounds to −0; a lane that then added the +0 of a padding would lose the sign.
        var x = Enumerable.Repeat(-1e-30f, 16).ToArray();
        BitsOf(RowReductions.Dot(x, [.. x.Select(v => -v)])).ShouldBe(BitsOf(-0f));
        BitsOf(RowReductions.Dot([.. x, -1e-30f], [.. x.Select(v => -v), 1e-30f])).ShouldBe(BitsOf(-0f));
    }

    [Fact]
    public void An_empty_row_gives_the_identities()
    {
        RowReductions.Maximum([]).ShouldBe(float.NegativeInfinity);
        BitsOf(RowReductions.Sum([])).ShouldBe(BitsOf(0f));
    }

    [Fact]
    public void The_index_of_the_largest_is_the_one_a_loop_finds() =>
        Gen.Frequency(
            (9, Gen.OneOf(-0f, 0f, 1f, 2f, 3f, float.NegativeInfinity)),
            (1, Gen.OneOf(float.NaN, float.PositiveInfinity))).Array[0, 40].Sample(x =>
            {
                var best = 0;
                for (var i = 1; i < x.Length; i++)
                {
                    best = x[i] > x[best] ? i : best;
                }

                RowReductions.IndexOfLargest(x).ShouldBe(best);
            });

    [Fact]
    public void Rows_of_different_lengths_have_no_product() =>
        Should.Throw<ArgumentException>(() => RowReductions.Dot(new float[2], new float[3]));

    [Fact]
    public void Sums_of_exponentials_are_the_same_with_and_without_keeping_them() =>
        _rows.Sample(x =>
        {
            var m = RowReductions.Maximum(x);
            var kept = new float[x.Length];
            var sum = RowReductions.SumOfExponentials(x, m, kept);
            kept.ShouldBe(x.Select(v => Elementary.Exp(v - m)));
            BitsOf(sum).ShouldBe(BitsOf(RowReductions.Sum(kept)));
            BitsOf(sum).ShouldBe(BitsOf(RowReductions.SumOfExponentials(x, m, [])));
        });

    [Fact]
    public void Softmax_is_its_formula_bit_for_bit_and_nearly_the_exact_one() =>
        Gen.Select(_rows, Gen.Int[1, 3]).Sample((row, rows) =>
        {
            var d = row.Length;
            var x = Enumerable.Range(0, rows).SelectMany(r => row.Select(v => v * (r + 1))).ToArray();
            var p = new float[x.Length];
            SoftmaxKernels.Softmax(x, p, d);
            for (var r = 0; r < rows; r++)
            {
                var xr = x[(r * d)..((r + 1) * d)];
                var m = RowReductions.Maximum(xr);
                var e = xr.Select(v => Elementary.Exp(v - m)).ToArray();
                var s = RowReductions.Sum(e);
                var exact = xr.Select(v => Math.Exp((double)v - m)).ToArray();
                for (var i = 0; i < d; i++)
                {
                    p[(r * d) + i].ShouldBe(e[i] / s);
                    var right = exact[i] / exact.Sum();
                    ((double)p[(r * d) + i]).ShouldBe(right, (right * 1e-5) + 1e-37);
                }
            }

            SoftmaxKernels.Softmax(x, x, d);
            x.ShouldBe(p);
        });

    [Fact]
    public void The_pullback_of_softmax_is_its_formula_bit_for_bit() =>
        Gen.Select(_rows, Gen.Single[-2f, 2f].Array[70]).Sample((x, deltas) =>
        {
            var p = new float[x.Length];
            SoftmaxKernels.Softmax(x, p, x.Length);
            var delta = deltas[..x.Length];
            var dot = Lanes(x, 0f, (lane, i) => MathF.FusedMultiplyAdd(delta[i], p[i], lane), (a, b) => a + b);
            var expected = delta.Select((d, i) => p[i] * (d - dot)).ToArray();
            SoftmaxKernels.SoftmaxPullback(p, delta, x.Length);
            delta.ShouldBe(expected);
        });

    [Fact]
    public void The_pullback_of_softmax_is_its_derivative() =>
        Gen.Select(Gen.Single[-3f, 3f].Array[1, 20], Gen.Single[-2f, 2f].Array[20]).Sample((x, deltas) =>
        {
            var delta = deltas[..x.Length];
            double Loss(int index, double step)
            {
                var e = x.Select((v, i) => Math.Exp(v + (i == index ? step : 0))).ToArray();
                return e.Select((v, i) => v / e.Sum() * deltas[i]).Sum();
            }

            var p = new float[x.Length];
            SoftmaxKernels.Softmax(x, p, x.Length);
            SoftmaxKernels.SoftmaxPullback(p, delta, x.Length);
            for (var i = 0; i < x.Length; i++)
            {
                ((double)delta[i]).ShouldBe((Loss(i, 1e-5) - Loss(i, -1e-5)) / 2e-5, 2e-6);
            }
        });

    [Fact]
    public void Rows_that_do_not_fit_are_refused()
    {
        Should.Throw<ArgumentException>(() => SoftmaxKernels.Softmax(new float[5], new float[5], 2));
        Should.Throw<ArgumentException>(() => SoftmaxKernels.Softmax(new float[4], new float[6], 2));
        Should.Throw<ArgumentOutOfRangeException>(() => SoftmaxKernels.SoftmaxPullback(new float[4], new float[4], 0));
    }

    private static int BitsOf(float x) => BitConverter.SingleToInt32Bits(x);

    private static float Larger(float a, float b) => a > b ? a : b;

    private static float Lanes(float[] row, float identity, Func<float, int, float> take, Func<float, float, float> combine)
    {
        var lanes = Enumerable.Repeat(identity, 16).ToArray();
        for (var i = 0; i < row.Length; i++)
        {
            lanes[i % 16] = take(lanes[i % 16], i);
        }

        foreach (var h in new[] { 8, 4, 2, 1 })
        {
            for (var i = 0; i < h; i++)
            {
                lanes[i] = combine(lanes[i], lanes[i + h]);
            }
        }

        return lanes[0];
    }
}
