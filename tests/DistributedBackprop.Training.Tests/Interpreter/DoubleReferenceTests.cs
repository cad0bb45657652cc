using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

public sealed class DoubleReferenceTests
{
    private const double Step = 1e-5;
    private const double Tolerance = 1e-6;

    [Fact]
    public void Its_derivatives_are_those_of_central_finite_differences()
    {
        var compared = 0;
        new RandomJobs().Sample(
            x =>
            {
                var point = Point.Of(x);
                var exact = point.Evaluate();

                // At a kink the one-sided derivatives differ, and a difference quotient sees both.
                if (exact.NearestKink < 1e-2)
                {
                    return;
                }

                foreach (var (name, values) in point.Parameters)
                {
                    compared += Compare(point, values, exact.Gradient[name], name);
                }

                for (var n = 0; n < point.Examples.Length; n++)
                {
                    compared += Compare(point, point.Examples[n], exact.Deltas[Model.InputName][n], $"example {n}");
                }
            },
            iter: 200,
            threads: 1);
        compared.ShouldBeGreaterThan(1_000);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 0.5204998778130465)]
    [InlineData(-1, -0.8427007929497149)]
    [InlineData(3, 0.9999779095030014)]
    [InlineData(7, 1)]
    public void The_error_function_agrees_with_tables(double x, double erf) =>
        DoubleActivations.Erf(x).ShouldBe(erf, 1e-15);

    private static int Compare(Point point, double[] values, double[] derivative, string what)
    {
        // Every element of small arrays; of large ones some, at a stride that visits all rows and columns.
        var stride = 1 + (values.Length / 12);
        for (var e = 0; e < values.Length; e += stride)
        {
            var before = values[e];
            values[e] = before + Step;
            var above = point.Evaluate().Loss;
            values[e] = before - Step;
            var below = point.Evaluate().Loss;
            values[e] = before;
            var quotient = (above - below) / (2 * Step);
            derivative[e].ShouldBe(quotient, Tolerance * (1 + Math.Abs(quotient)), $"{what}[{e}]");
        }

        return (values.Length + stride - 1) / stride;
    }

    /// <summary>Where the derivative is taken: small, so that every element can be moved.</summary>
    private sealed record Point(
        DoubleReference Reference, Dictionary<string, double[]> Parameters, double[][] Examples, int[] Labels)
    {
        public static Point Of(RandomJob x)
        {
            var count = Math.Min(2, x.Data.TrainLabels.Length);
            var graph = new PlainGraph(x.Job);
            var initial = graph.Initial(x.Job.Seed, null);
            return new Point(
                new DoubleReference(x.Job.Model, x.Job.Loss, (layer, example, element) => (example + element) % 3 == 0),
                graph.Parameters.Select((p, i) => (p.Name, initial[i])).ToDictionary(p => p.Name, p => Widened(p.Item2)),
                [.. x.Data.TrainFeatures[..count].Select(Widened)],
                x.Data.TrainLabels[..count]);
        }

        public DoubleDerivatives Evaluate() => Reference.Evaluate(Parameters, Examples, Labels);

        private static double[] Widened(float[] values) => [.. values.Select(v => (double)v)];
    }
}
