using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

public sealed class PlainOptimizerTests
{
    public static TheoryData<OptimizerChoice> Choices { get; } = new()
    {
        new SgdChoice { LearningRate = new ConstantRate(0.1) },
        new SgdChoice { LearningRate = new ConstantRate(0.1), WeightDecay = 0.05 },
        new SgdChoice { LearningRate = new ConstantRate(0.1), Momentum = 0.9, WeightDecay = 0.05 },
        new SgdChoice { LearningRate = new StepRate(0.1, 3, 0.5), Momentum = 0.9, Nesterov = true },
        new AdamChoice { LearningRate = new ConstantRate(0.01) },
        new AdamChoice { LearningRate = new CosineRate(0.02, 0.001, 3), WeightDecay = 0.05, Beta1 = 0.8, Beta2 = 0.95 },
        new AdamWChoice { LearningRate = new ConstantRate(0.01, 4), WeightDecay = 0.05, Epsilon = 1e-3 },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void Ten_steps_come_out_as_the_formulas_do_in_double(OptimizerChoice choice)
    {
        const int Steps = 10;
        const double Factor = 0.5;
        var job = XorByHand.Job();
        var layers = job.Model.Layers.SetItem(1, job.Model.Layers[1] with { LearningRateFactor = Factor });
        var graph = new PlainGraph(job with { Model = job.Model with { Layers = layers } });
        var optimizer = new PlainOptimizer(choice, graph);
        var parameters = graph.Initial(0, null);
        var (p, m, v) = ((double)parameters[2][1], 0.0, 0.0);
        for (var t = 1; t <= Steps; t++)
        {
            var g = Math.Sin(t) / 2;
            var gradient = graph.Zeros();
            gradient[2][1] = (float)g;
            var rate = PlainRates.At(choice.LearningRate, t, Steps);
            optimizer.Update(parameters, gradient, rate);
            p = Updated(choice, p, g, t, rate * Factor, ref m, ref v);
            ((double)parameters[2][1]).ShouldBe(p, 2e-6, $"step {t}");
        }
    }

    [Fact]
    public void A_learning_rate_factor_of_0_freezes_a_layer()
    {
        var job = XorByHand.Job(epochs: 3);
        var layers = job.Model.Layers.SetItem(0, job.Model.Layers[0] with { LearningRateFactor = 0 });
        var result = PlainInterpreter.Run(
            job with { Model = job.Model with { Layers = layers } }, XorByHand.Points, XorByHand.Parameters);
        result.Parameters[0].Values.ShouldBe([1, 1, 1, 1]);
        result.Parameters[2].Values.ShouldNotBe([1, -2]);
    }

    [Fact]
    public void Rates_follow_their_functions()
    {
        Rates(new ConstantRate(2, 4), 6).ShouldBe([0.5, 1, 1.5, 2, 2, 2]);
        Rates(new StepRate(8, 2, 0.5), 7).ShouldBe([8, 8, 4, 4, 2, 2, 1]);

        // Two steps of warm-up, then half a cosine over the four that are left, from its top; the end is not reached.
        var half = Math.Sqrt(0.5);
        Rates(new CosineRate(4, 2, 2), 6).ShouldBe([2, 4, 4, 3 + half, 3, 3 - half], 1e-12);
        PlainRates.At(new CosineRate(4, 2, 2), 7, 6).ShouldBe(2);
        PlainRates.At(new CosineRate(4, 2, 6), 7, 6).ShouldBe(2);
    }

    private static double[] Rates(LearningRate rate, int steps) =>
        [.. Enumerable.Range(1, steps).Select(t => PlainRates.At(rate, t, steps))];

    /// <summary>The update as PyTorch's documentation writes it.</summary>
    private static double Updated(
        OptimizerChoice choice, double p, double g, int t, double rate, ref double m, ref double v)
    {
        if (choice is AdamWChoice)
        {
            p -= rate * choice.WeightDecay * p;
        }
        else
        {
            g += choice.WeightDecay * p;
        }

        if (choice is AdamChoice adam)
        {
            m = (adam.Beta1 * m) + ((1 - adam.Beta1) * g);
            v = (adam.Beta2 * v) + ((1 - adam.Beta2) * g * g);
            var (mHat, vHat) = (m / (1 - Math.Pow(adam.Beta1, t)), v / (1 - Math.Pow(adam.Beta2, t)));
            return p - (rate * mHat / (Math.Sqrt(vHat) + adam.Epsilon));
        }

        var sgd = (SgdChoice)choice;
        m = t == 1 ? g : (sgd.Momentum * m) + g;
        return p - (rate * (sgd.Nesterov ? g + (sgd.Momentum * m) : sgd.Momentum == 0 ? g : m));
    }
}
