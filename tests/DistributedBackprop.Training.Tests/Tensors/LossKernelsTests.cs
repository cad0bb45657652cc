using CsCheck;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Training.Tests.Tensors;

public class LossKernelsTests
{
    private delegate void Kernel(
        ReadOnlySpan<float> outputs, ReadOnlySpan<int> labels, int total, Span<float> deltas, ref double loss, ref long correct);

    private static readonly Dictionary<string, Kernel> _kernels = new()
    {
        ["softmaxCrossEntropy"] = LossKernels.SoftmaxCrossEntropy,
        ["binaryCrossEntropy"] = LossKernels.BinaryCrossEntropy,
        ["meanSquaredError"] = LossKernels.MeanSquaredError,
    };

    /// <summary>Outputs [n, d], labels [n], d, and a total of at least n examples.</summary>
    private static readonly Gen<(float[] Outputs, int[] Labels, int D, int Total)> _cases =
        from n in Gen.Int[0, 7]
        from d in Gen.Frequency((1, Gen.Const(1)), (3, Gen.Int[2, 40]))
        from outputs in Gen.Frequency((8, Gen.Single[-9f, 9f]), (1, Gen.OneOf(0f, 1f, -0f, -200f, 300f))).Array[n * d]
        from labels in Gen.Int[0, Math.Max(d, 2) - 1].Array[n]
        from more in Gen.Int[0, 20]
        select (outputs, labels, d, Math.Max(n + more, 1));

    public static TheoryData<string> Names => [.. _kernels.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Losses_deltas_and_counts_are_their_formulas_bit_for_bit(string name) =>
        _cases.Sample(c =>
        {
            var labels = name == "softmaxCrossEntropy" && c.D == 1 ? new int[c.Labels.Length] : c.Labels;
            var expected = Plain(name, c.Outputs, labels, c.D, c.Total, before: 0.1);
            var deltas = new float[c.Outputs.Length];
            var (loss, correct) = (0.1, 5L);
            _kernels[name](c.Outputs, labels, c.Total, deltas, ref loss, ref correct);
            loss.ShouldBe(expected.Loss);
            correct.ShouldBe(5 + expected.Correct);
            deltas.Select(BitConverter.SingleToInt32Bits).ShouldBe(expected.Deltas.Select(BitConverter.SingleToInt32Bits));
        });

    [Theory]
    [MemberData(nameof(Names))]
    public void An_evaluation_without_deltas_has_the_same_loss_and_count(string name) =>
        _cases.Where(c => c.D > 1).Sample(c =>
        {
            var (loss, correct, evaluated, right) = (0.0, 0L, 0.0, 0L);
            _kernels[name](c.Outputs, c.Labels, c.Total, new float[c.Outputs.Length], ref loss, ref correct);
            _kernels[name](c.Outputs, c.Labels, c.Total, [], ref evaluated, ref right);
            (evaluated, right).ShouldBe((loss, correct));
        });

    [Theory]
    [MemberData(nameof(Names))]
    public void Cutting_a_slice_into_microbatches_changes_no_bit(string name) =>
        _cases.Where(c => c.D > 1).Sample(c =>
        {
            var (loss, correct, cutLoss, cutCorrect) = (0.0, 0L, 0.0, 0L);
            var whole = new float[c.Outputs.Length];
            var cut = new float[c.Outputs.Length];
            _kernels[name](c.Outputs, c.Labels, c.Total, whole, ref loss, ref correct);
            var middle = c.Labels.Length / 3;
            _kernels[name](
                c.Outputs.AsSpan(0, middle * c.D),
                c.Labels.AsSpan(0, middle),
                c.Total,
                cut.AsSpan(0, middle * c.D),
                ref cutLoss,
                ref cutCorrect);
            _kernels[name](
                c.Outputs.AsSpan(middle * c.D),
                c.Labels.AsSpan(middle),
                c.Total,
                cut.AsSpan(middle * c.D),
                ref cutLoss,
                ref cutCorrect);
            (cutLoss, cutCorrect).ShouldBe((loss, correct));
            cut.ShouldBe(whole);
        });

    [Theory]
    [MemberData(nameof(Names))]
    public void Deltas_are_the_derivatives_of_the_mean_loss(string name) =>
        (from n in Gen.Int[1, 4]
         from d in Gen.Int[1, 11]
         from outputs in Gen.Single[-4f, 4f].Array[n * d]
         from labels in Gen.Int[0, name == "softmaxCrossEntropy" ? d - 1 : Math.Max(d, 2) - 1].Array[n]
         select (outputs, labels, d)).Sample(c =>
         {
             var total = c.labels.Length;
             var deltas = new float[c.outputs.Length];
             var (loss, correct) = (0.0, 0L);
             _kernels[name](c.outputs, c.labels, total, deltas, ref loss, ref correct);
             var divisor = name == "softmaxCrossEntropy" ? total : total * c.d;
             var exact = c.outputs.Select(v => (double)v).ToArray();
             (loss / divisor).ShouldBe(Exact(name, exact, c.labels, c.d), 1e-5);
             for (var i = 0; i < exact.Length; i++)
             {
                 var (up, down) = (exact.ToArray(), exact.ToArray());
                 up[i] += 1e-5;
                 down[i] -= 1e-5;
                 var derivative = (Exact(name, up, c.labels, c.d) - Exact(name, down, c.labels, c.d)) / 2e-5;
                 ((double)deltas[i]).ShouldBe(derivative, 2e-6);
             }
         });

    [Fact]
    public void Logits_far_apart_neither_overflow_nor_lose_the_loss()
    {
        var (loss, correct) = (0.0, 0L);
        LossKernels.SoftmaxCrossEntropy([1000f, -1000f], [1], 1, [], ref loss, ref correct);
        loss.ShouldBe(2000.0);
        loss = 0;
        LossKernels.BinaryCrossEntropy([-1000f], [1], 1, [], ref loss, ref correct);
        loss.ShouldBe(1000.0);
        correct.ShouldBe(0);
    }

    [Fact]
    public void Labels_outside_their_range_are_refused_by_example()
    {
        var (loss, correct) = (0.0, 0L);
        Should.Throw<ArgumentOutOfRangeException>(
            () => LossKernels.SoftmaxCrossEntropy(new float[6], [2, 3], 2, [], ref loss, ref correct))
            .Message.ShouldContain("example 1 must be from 0 to 2");
        Should.Throw<ArgumentOutOfRangeException>(
            () => LossKernels.BinaryCrossEntropy(new float[1], [2], 1, [], ref loss, ref correct))
            .Message.ShouldContain("from 0 to 1");
        Should.Throw<ArgumentOutOfRangeException>(
            () => LossKernels.MeanSquaredError(new float[2], [-1], 1, [], ref loss, ref correct));
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        var (loss, correct) = (0.0, 0L);
        Should.Throw<ArgumentException>(
            () => LossKernels.MeanSquaredError(new float[5], [0, 0], 2, [], ref loss, ref correct));
        Should.Throw<ArgumentException>(
            () => LossKernels.MeanSquaredError(new float[4], [0, 0], 2, new float[3], ref loss, ref correct));
        Should.Throw<ArgumentException>(
            () => LossKernels.MeanSquaredError(new float[4], [], 2, [], ref loss, ref correct));
        Should.Throw<ArgumentOutOfRangeException>(
            () => LossKernels.MeanSquaredError(new float[4], [0, 0], 0, [], ref loss, ref correct));
    }

    [Fact]
    public void Kernels_allocate_nothing()
    {
        var outputs = Enumerable.Range(0, 130).Select(i => (i % 13) - 5f).ToArray();
        var deltas = new float[130];
        var labels = Enumerable.Range(0, 13).Select(i => i % 10).ToArray();
        var (loss, correct) = (0.0, 0L);
        void Run()
        {
            LossKernels.SoftmaxCrossEntropy(outputs, labels, 13, deltas, ref loss, ref correct);
            LossKernels.BinaryCrossEntropy(outputs, labels, 13, deltas, ref loss, ref correct);
            LossKernels.MeanSquaredError(outputs, labels, 13, deltas, ref loss, ref correct);
            SoftmaxKernels.Softmax(outputs, deltas, 13);
            SoftmaxKernels.SoftmaxPullback(outputs, deltas, 13);
            ActivationKernels.GeluPullback(outputs, deltas);
            new Philox(1, 2).FillUniform(deltas, 3, 0, 0);
        }

        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private static (double Loss, long Correct, float[] Deltas) Plain(
        string name, float[] x, int[] labels, int d, int total, double before)
    {
        var (chain, correct) = (before, 0L);
        var deltas = new float[x.Length];
        for (var n = 0; n < labels.Length; n++)
        {
            var row = x[(n * d)..((n + 1) * d)];
            var largest = Array.IndexOf(row, row.Max());
            if (name == "softmaxCrossEntropy")
            {
                var m = RowReductions.Maximum(row);
                var e = row.Select(v => PlainMath.Exp(v - m)).ToArray();
                var s = RowReductions.Sum(e);
                chain += PlainMath.Log(s) - (row[labels[n]] - m);
                correct += largest == labels[n] ? 1 : 0;
                for (var i = 0; i < d; i++)
                {
                    deltas[(n * d) + i] = ((e[i] / s) - (i == labels[n] ? 1f : 0f)) * (float)(1.0 / total);
                }

                continue;
            }

            var binary = name == "binaryCrossEntropy";
            correct += (d == 1 ? (row[0] > (binary ? 0f : 0.5f)) == (labels[n] == 1) : largest == labels[n]) ? 1 : 0;
            for (var i = 0; i < d; i++)
            {
                var v = row[i];
                var y = d == 1 ? labels[n] : i == labels[n] ? 1f : 0f;
                if (binary)
                {
                    chain += (v > 0 ? v : 0f) - (v * y) + PlainMath.Log(1f + PlainMath.Exp(-MathF.Abs(v)));
                    deltas[(n * d) + i] = ((1f / (1f + PlainMath.Exp(-v))) - y) * (float)(1.0 / ((double)total * d));
                }
                else
                {
                    chain += (v - y) * (v - y);
                    deltas[(n * d) + i] = (v - y) * (float)(2.0 / ((double)total * d));
                }
            }
        }

        return (chain, correct, deltas);
    }

    /// <summary>The mean loss in double, by the textbook's formulas.</summary>
    private static double Exact(string name, double[] x, int[] labels, int d)
    {
        double OfRow(int n)
        {
            var row = x[(n * d)..((n + 1) * d)];
            double Target(int i) => d == 1 ? labels[n] : i == labels[n] ? 1 : 0;
            return name switch
            {
                "softmaxCrossEntropy" => -Math.Log(Math.Exp(row[labels[n]]) / row.Sum(Math.Exp)),
                "binaryCrossEntropy" => row.Select((v, i) => -Math.Log(Reference.Sigmoid(Target(i) == 1 ? v : -v))).Average(),
                _ => row.Select((v, i) => (v - Target(i)) * (v - Target(i))).Average(),
            };
        }

        return Enumerable.Range(0, labels.Length).Average(OfRow);
    }
}
