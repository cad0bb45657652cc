using CsCheck;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Tensors;

/// <summary>Every kernel against the loop that anybody would write, bit for bit.</summary>
public sealed unsafe class MatrixProductTests : IDisposable
{
    private static readonly float[] _special =
        [0f, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, -1e-42f, float.MaxValue, 1f, -1f];

    private static readonly Gen<int> _extent = Gen.Frequency((1, Gen.Int[0, 2]), (6, Gen.Int[0, 70]), (1, Gen.Int[71, 600]));

    private static readonly Gen<Case> _cases =
        from m in _extent
        from n in _extent
        from k in _extent
        from seed in Gen.UInt
        from special in Gen.Int[0, 5]
        from flags in Gen.Int[0, 7]
        from width in Gen.Int[1, 3]
        select new Case(m, n, k, seed, special == 0, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, width);

    private readonly TensorPool _pool = new();
    private readonly ITiles[] _tiles = [SequentialTiles.Instance, new ThreadedTiles(2), new ThreadedTiles(3)];

    public void Dispose()
    {
        foreach (var tiles in _tiles.OfType<IDisposable>())
        {
            tiles.Dispose();
        }
    }

    [Fact]
    public void Forward_is_one_chain_for_each_element() => _cases.Sample(CheckForward, iter: 300, threads: 1);

    [Fact]
    public void Input_delta_is_one_chain_for_each_element() => _cases.Sample(CheckInputDelta, iter: 300, threads: 1);

    [Fact]
    public void Weight_and_bias_gradient_are_one_chain_for_each_element() =>
        _cases.Sample(CheckWeightGradient, iter: 300, threads: 1);

    [Theory]
    [InlineData(128, 512, 784)]
    [InlineData(128, 256, 512)]
    [InlineData(128, 10, 256)]
    [InlineData(1030, 33, 300)]
    [InlineData(7, 1100, 530)]
    [InlineData(1, 1, 2000)]
    public void Large_shapes_and_a_networks_own(int m, int n, int k)
    {
        var it = new Case(m, n, k, 7, false, true, true, true, 2);
        CheckForward(it);
        CheckInputDelta(it);
        CheckWeightGradient(it);
    }

    [Fact]
    public void Without_rows_a_gradient_starts_at_zero_and_continues_untouched()
    {
        var it = new Case(0, 37, 45, 3, false, false, false, true, 2);
        CheckWeightGradient(it);
        CheckWeightGradient(it with { Continues = false });
    }

    [Fact]
    public void A_weight_gradient_in_parts_is_the_gradient_at_once()
    {
        const int M = 50, N = 21, K = 43;
        var it = new Case(M, N, K, 5, false, false, false, false, 1);
        using var delta = new GuardedFloats(it.Values(1, M * N));
        using var x = new GuardedFloats(it.Values(2, M * K));
        using var whole = new GuardedFloats(new float[N * K]);
        using var parts = new GuardedFloats(new float[N * K]);
        MatrixProduct.WeightGradient(_tiles[0], delta.Pointer, x.Pointer, whole.Pointer, null, false, M, N, K);
        MatrixProduct.WeightGradient(_tiles[1], delta.Pointer, x.Pointer, parts.Pointer, null, false, 17, N, K);
        MatrixProduct.WeightGradient(
            _tiles[2], delta.Pointer + (17 * N), x.Pointer + (17 * K), parts.Pointer, null, true, M - 17, N, K);
        parts.ShouldBe(whole.Values.ToArray(), "parts");
    }

    [Fact]
    public void Negative_dimensions_are_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(
            () => MatrixProduct.InputDelta(SequentialTiles.Instance, null, null, null, 1, -1, 1));

    private void CheckForward(Case it)
    {
        var (m, n, k) = (it.M, it.N, it.K);
        float[] x = it.Values(1, m * k), w = it.Values(2, n * k), bias = it.Values(3, n), expected = new float[m * n];
        for (var i = 0; i < m; i++)
        {
            for (var o = 0; o < n; o++)
            {
                var sum = 0f;
                for (var p = 0; p < k; p++)
                {
                    sum = MathF.FusedMultiplyAdd(x[(i * k) + p], w[(o * k) + p], sum);
                }

                sum = it.Bias ? sum + bias[o] : sum;
                expected[(i * n) + o] = it.Relu && sum <= 0 ? 0f : sum;
            }
        }

        using var gx = new GuardedFloats(x);
        using var gw = new GuardedFloats(w);
        using var gb = new GuardedFloats(bias);
        var b = it.Bias ? gb.Pointer : null;
        using var packed = new GuardedFloats(new float[MatrixProduct.PackedLength(n, k)]);
        MatrixProduct.Pack(gw.Pointer, n, k, packed.Pointer, _tiles[it.Width - 1]);
        packed.ShouldBe(Packed(w, n, k), $"{it} packed");
        foreach (var vectors in Enum.GetValues<VectorWidth>())
        {
            foreach (var side in new[] { RightSide.Packed, RightSide.Transposed })
            {
                using var y = new GuardedFloats(it.Values(4, m * n));
                MatrixProduct.Forward(
                    vectors, _tiles[it.Width - 1], gx.Pointer, side == RightSide.Packed ? packed.Pointer : gw.Pointer, side, b,
                    it.Relu, y.Pointer, m, n, k);
                y.ShouldBe(expected, $"{it} {vectors} {side}");
            }
        }

        using var own = new GuardedFloats(it.Values(4, m * n));
        MatrixProduct.ForwardUnpacked(
            _pool, _tiles[it.Width - 1], gx.Pointer, gw.Pointer, b, it.Relu, own.Pointer, m, n, k);
        own.ShouldBe(expected, $"{it} packing for itself");
        _pool.Outstanding.ShouldBe(0);
    }

    private void CheckInputDelta(Case it)
    {
        var (m, n, k) = (it.M, it.N, it.K);
        float[] delta = it.Values(1, m * n), w = it.Values(2, n * k), expected = new float[m * k];
        for (var i = 0; i < m; i++)
        {
            for (var p = 0; p < k; p++)
            {
                var sum = 0f;
                for (var o = 0; o < n; o++)
                {
                    sum = MathF.FusedMultiplyAdd(delta[(i * n) + o], w[(o * k) + p], sum);
                }

                expected[(i * k) + p] = sum;
            }
        }

        using var gd = new GuardedFloats(delta);
        using var gw = new GuardedFloats(w);
        foreach (var vectors in Enum.GetValues<VectorWidth>())
        {
            using var dx = new GuardedFloats(it.Values(4, m * k));
            MatrixProduct.InputDelta(vectors, _tiles[it.Width - 1], gd.Pointer, gw.Pointer, dx.Pointer, m, n, k);
            dx.ShouldBe(expected, $"{it} {vectors}");
        }
    }

    private void CheckWeightGradient(Case it)
    {
        var (m, n, k) = (it.M, it.N, it.K);
        float[] delta = it.Values(1, m * n), x = it.Values(2, m * k), oldW = it.Values(3, n * k), oldB = it.Values(4, n);
        var expectedW = it.Continues ? [.. oldW] : new float[n * k];
        var expectedB = it.Continues ? [.. oldB] : new float[n];
        for (var r = 0; r < m; r++)
        {
            for (var o = 0; o < n; o++)
            {
                var d = delta[(r * n) + o];
                expectedB[o] += d;
                for (var p = 0; p < k; p++)
                {
                    expectedW[(o * k) + p] = MathF.FusedMultiplyAdd(d, x[(r * k) + p], expectedW[(o * k) + p]);
                }
            }
        }

        using var gd = new GuardedFloats(delta);
        using var gx = new GuardedFloats(x);
        foreach (var vectors in Enum.GetValues<VectorWidth>())
        {
            using var dw = new GuardedFloats(oldW);
            using var db = new GuardedFloats(oldB);
            MatrixProduct.WeightGradient(
                vectors, _tiles[it.Width - 1], gd.Pointer, gx.Pointer, dw.Pointer, it.Bias ? db.Pointer : null, it.Continues,
                m, n, k);
            dw.ShouldBe(expectedW, $"{it} {vectors} dw");
            db.ShouldBe(it.Bias ? expectedB : oldB, $"{it} {vectors} db");
        }
    }

    // The layout as the documentation of the panels has it.
    private static float[] Packed(float[] w, int n, int k)
    {
        var packed = new float[MatrixProduct.PackedLength(n, k)];
        for (var o = 0; o < n; o++)
        {
            var first = o / 32 * 32;
            var width = n - first > 16 ? 32 : 16;
            for (var p = 0; p < k; p++)
            {
                packed[(first * k) + (p * width) + o - first] = w[(o * k) + p];
            }
        }

        return packed;
    }

    private sealed record Case(
        int M, int N, int K, uint Seed, bool WithSpecial, bool Relu, bool Bias, bool Continues, int Width)
    {
        public float[] Values(uint stream, int count)
        {
            var random = new Random((int)(Seed ^ (stream * 0x9E3779B9)));
            var values = new float[count];
            for (var i = 0; i < count; i++)
            {
                values[i] = WithSpecial && random.Next(40) == 0
                    ? _special[random.Next(_special.Length)]
                    : ((float)random.NextDouble() * 2) - 1;
            }

            return values;
        }
    }
}
