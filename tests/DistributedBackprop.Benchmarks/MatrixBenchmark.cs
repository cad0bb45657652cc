using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// Our matrix products beside OpenBLAS's, one thread, in turns (ours, theirs, ours, …), medians. What is printed is
/// GFLOP/s and the ratio ours ÷ theirs.
/// </summary>
public static unsafe class MatrixBenchmark
{
    private const int Rounds = 41;
    private const double FlopsPerSample = 30e6;

    private static readonly (int M, int N, int K)[] _shapes =
    [
        (128, 512, 784), (64, 512, 784), (32, 128, 784), (128, 256, 512), (128, 10, 256),
        (64, 64, 64), (512, 512, 512), (1024, 1024, 1024),
    ];

    private delegate void Product();

    /// <summary>Measures and prints. Takes about half a minute.</summary>
    public static void Run(TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (OpenBlas.Load() is not { } theirs)
        {
            output.WriteLine("OpenBLAS is not installed: apt-get install libopenblas0-pthread");
            return;
        }

        output.WriteLine($"ours: {HardwareSupport.Describe()}; theirs: {theirs}");
        output.WriteLine("one thread, GFLOP/s                    theirs     ours            packed before");
        foreach (var (m, n, k) in _shapes)
        {
            Forward(output, m, n, k);
        }

        foreach (var (m, n, k) in _shapes)
        {
            Backward(output, m, n, k);
        }

        Step(output, 128);
        Step(output, 64);
    }

    private static void Forward(TextWriter output, int m, int n, int k)
    {
        var pool = new TensorPool();
        using var memory = new Matrices(m, n, k);
        float* x = memory.X, w = memory.W, y = memory.Y, packed = memory.Packed;
        MatrixProduct.Pack(w, n, k, packed, SequentialTiles.Instance);
        var medians = Medians(
            2.0 * m * n * k,
            () => OpenBlas.Forward(x, w, y, m, n, k),
            () => MatrixProduct.ForwardUnpacked(pool, SequentialTiles.Instance, x, w, null, false, y, m, n, k),
            () => MatrixProduct.Forward(SequentialTiles.Instance, x, packed, null, false, y, m, n, k));
        Print(output, $"forward         {m}×{n}×{k}", 2.0 * m * n * k, medians);
    }

    private static void Backward(TextWriter output, int m, int n, int k)
    {
        using var memory = new Matrices(m, n, k);
        float* x = memory.X, w = memory.W, y = memory.Y, dx = memory.Dx, dw = memory.Dw;
        Print(output, $"input delta     {m}×{n}×{k}", 2.0 * m * n * k, Medians(
            2.0 * m * n * k,
            () => OpenBlas.InputDelta(y, w, dx, m, n, k),
            () => MatrixProduct.InputDelta(SequentialTiles.Instance, y, w, dx, m, n, k)));
        Print(output, $"weight gradient {m}×{n}×{k}", 2.0 * m * n * k, Medians(
            2.0 * m * n * k,
            () => OpenBlas.WeightGradient(y, x, dw, m, n, k),
            () => MatrixProduct.WeightGradient(SequentialTiles.Instance, y, x, dw, null, false, m, n, k)));
    }

    // All products of one training step of a 784-512-256-10 network, ours with packing, bias and relu.
    private static void Step(TextWriter output, int batch)
    {
        (int N, int K)[] layers = [(512, 784), (256, 512), (10, 256)];
        var memory = layers.Select(layer => new Matrices(batch, layer.N, layer.K)).ToArray();
        var flops = 2.0 * batch * ((512 * 784 * 2) + (256 * 512 * 3) + (10 * 256 * 3));
        var tiles = SequentialTiles.Instance;
        var pool = new TensorPool();
        var medians = Medians(
            flops,
            () => TheirStep(layers, memory, batch),
            () => OurStep(layers, memory, batch, tiles, null),
            () => OurStep(layers, memory, batch, tiles, pool));
        Print(output, $"products of a step, batch {batch}", flops, medians);
        output.WriteLine(Invariant(
            $"  ours {medians[1] * 1e6:F0} µs, packing inside {medians[2] * 1e6:F0} µs, theirs {medians[0] * 1e6:F0} µs"));
        var pack = Medians(30e6, () =>
        {
            for (var i = 0; i < layers.Length; i++)
            {
                MatrixProduct.Pack(memory[i].W, layers[i].N, layers[i].K, memory[i].Packed, tiles);
            }
        });
        output.WriteLine(Invariant($"  packing alone {pack[0] * 1e6:F0} µs"));
        if (Environment.ProcessorCount > 1)
        {
            using var two = new ThreadedTiles(2);
            var threaded = Medians(
                flops,
                () => OurStep(layers, memory, batch, tiles, null),
                () => OurStep(layers, memory, batch, two, null));
            var (alone, shared) = (threaded[0], threaded[1]);
            output.WriteLine(Invariant(
                $"  two threads {shared * 1e6:F0} µs: {alone / shared:F2}× as fast as one ({alone * 1e6:F0} µs)"));
        }

        Array.ForEach(memory, matrices => matrices.Dispose());
    }

    private static void TheirStep((int N, int K)[] layers, Matrices[] memory, int batch)
    {
        for (var i = 0; i < layers.Length; i++)
        {
            OpenBlas.Forward(memory[i].X, memory[i].W, memory[i].Y, batch, layers[i].N, layers[i].K);
        }

        for (var i = layers.Length - 1; i >= 0; i--)
        {
            OpenBlas.WeightGradient(memory[i].Y, memory[i].X, memory[i].Dw, batch, layers[i].N, layers[i].K);
            if (i > 0)
            {
                OpenBlas.InputDelta(memory[i].Y, memory[i].W, memory[i].Dx, batch, layers[i].N, layers[i].K);
            }
        }
    }

    private static void OurStep((int N, int K)[] layers, Matrices[] memory, int batch, ITiles tiles, TensorPool? pool)
    {
        for (var i = 0; i < layers.Length; i++)
        {
            var (n, k) = layers[i];
            if (pool is null)
            {
                MatrixProduct.Pack(memory[i].W, n, k, memory[i].Packed, tiles);
                MatrixProduct.Forward(tiles, memory[i].X, memory[i].Packed, memory[i].Bias, true, memory[i].Y, batch, n, k);
            }
            else
            {
                MatrixProduct.ForwardUnpacked(
                    pool, tiles, memory[i].X, memory[i].W, memory[i].Bias, true, memory[i].Y, batch, n, k);
            }
        }

        for (var i = layers.Length - 1; i >= 0; i--)
        {
            var (n, k) = layers[i];
            MatrixProduct.WeightGradient(
                tiles, memory[i].Y, memory[i].X, memory[i].Dw, memory[i].Db, false, batch, n, k);
            if (i > 0)
            {
                MatrixProduct.InputDelta(tiles, memory[i].Y, memory[i].W, memory[i].Dx, batch, n, k);
            }
        }
    }

    // Seconds for one call of each, measured in turns so that what disturbs one disturbs all.
    private static double[] Medians(double flops, params Product[] products)
    {
        var repeats = (int)Math.Max(1, FlopsPerSample / flops);
        var seconds = products.Select(_ => new double[Rounds]).ToArray();
        for (var round = -5; round < Rounds; round++)
        {
            for (var i = 0; i < products.Length; i++)
            {
                var start = Stopwatch.GetTimestamp();
                for (var repeat = 0; repeat < repeats; repeat++)
                {
                    products[i]();
                }

                if (round >= 0)
                {
                    seconds[i][round] = Stopwatch.GetElapsedTime(start).TotalSeconds / repeats;
                }
            }
        }

        Array.ForEach(seconds, Array.Sort);
        return [.. seconds.Select(sorted => sorted[Rounds / 2])];
    }

    private static void Print(TextWriter output, string what, double flops, double[] medians)
    {
        var line = Invariant($"{what,-36}{flops / medians[0] / 1e9,8:F1}");
        for (var i = 1; i < medians.Length; i++)
        {
            line += Invariant($"{flops / medians[i] / 1e9,9:F1} = {medians[0] / medians[i]:F2}×");
        }

        output.WriteLine(line);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed class Matrices : IDisposable
    {
        private readonly List<nint> _memory = [];

        public Matrices(int m, int n, int k)
        {
            X = Filled(m * k);
            W = Filled(n * k);
            Y = Filled(m * n);
            Dx = Filled(m * k);
            Dw = Filled(n * k);
            Bias = Filled(n);
            Db = Filled(n);
            Packed = Filled(MatrixProduct.PackedLength(n, k));
        }

        public float* X { get; }

        public float* W { get; }

        public float* Y { get; }

        public float* Dx { get; }

        public float* Dw { get; }

        public float* Bias { get; }

        public float* Db { get; }

        public float* Packed { get; }

        public void Dispose() => _memory.ForEach(memory => NativeMemory.AlignedFree((void*)memory));

        private float* Filled(int count)
        {
            var memory = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(count, 1) * sizeof(float), 64);
            for (var i = 0; i < count; i++)
            {
                memory[i] = ((i * 7919L % 2003) / 1001.5f) - 1;
            }

            _memory.Add((nint)memory);
            return memory;
        }
    }
}
