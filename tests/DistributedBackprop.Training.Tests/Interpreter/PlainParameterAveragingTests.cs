using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

public sealed class PlainParameterAveragingTests
{
    [Fact]
    public void One_replica_that_averages_plainly_equals_training_without_averaging()
    {
        new RandomJobs().Sample(
            x =>
            {
                // Evaluation sees the newest round only, so a rule about the test set might stop the two at different steps.
                var plan = x.Job.Training with { StopWhen = new StopRule() };
                var one = x.Job with { Training = plan, Parallelism = new Parallelism { Replicas = 1 } };
                var averaging = new ParameterAveraging(2, new OuterOptimizer());
                var local = one with { Parallelism = one.Parallelism with { Averaging = averaging } };
                var (a, b) = (PlainInterpreter.Run(one, x.Data), PlainInterpreter.Run(local, x.Data));
                b.WeightsSha256.ShouldBe(a.WeightsSha256);
                b.StepLosses.ShouldBe(a.StepLosses);
            },
            iter: 50,
            threads: 1);
    }

    [Fact]
    public void Averaging_every_step_with_plain_sgd_and_equal_slices_is_gradient_averaging_within_rounding()
    {
        var gradients = EqualSlices(new GradientAveraging());
        var parameters = EqualSlices(new ParameterAveraging(1, new OuterOptimizer()));
        for (var p = 0; p < gradients.Parameters.Count; p++)
        {
            parameters.Parameters[p].Values.ShouldBe(gradients.Parameters[p].Values, 1e-5);
        }

        // Seldom averaging is something else, or the test above would say nothing.
        var seldom = EqualSlices(new ParameterAveraging(3, new OuterOptimizer()));
        seldom.Parameters[0].Values.Zip(gradients.Parameters[0].Values, (a, b) => Math.Abs(a - b)).Max()
            .ShouldBeGreaterThan(1e-3f);
    }

    [Fact]
    public void The_outer_optimizer_steps_from_the_last_rounds_parameters()
    {
        // Two replicas, one step, one round. Replica 0 sees (0,0) and (0,1), replica 1 the others; each mean is over 2.
        // dense2.bias: both gradients are 1 (δ is ½ twice), so both arrive at ½ − ½·1 = 0, and Δ = ½.
        Bias(new OuterOptimizer()).ShouldBe(0);
        Bias(new OuterOptimizer(0.5)).ShouldBe(0.5f - 0.25f);
        Bias(new OuterOptimizer(0.5, 0.5)).ShouldBe(0.5f - 0.25f);
        Bias(new OuterOptimizer(0.5, 0.5, Nesterov: true)).ShouldBe(0.5f - (0.5f * (0.5f + 0.25f)));

        static float Bias(OuterOptimizer outer)
        {
            var averaging = new ParameterAveraging(1, outer);
            var job = XorByHand.Job() with { Parallelism = new Parallelism { Replicas = 2, Averaging = averaging } };
            return PlainInterpreter.Run(job, XorByHand.Points, XorByHand.Parameters).Parameters[3].Values[0];
        }
    }

    [Fact]
    public void Random_jobs_run_and_their_inner_state_matters()
    {
        var differing = 0;
        new RandomJobs(averagesParameters: true).Sample(
            x =>
            {
                var choice = (ParameterAveraging)x.Job.Parallelism.Averaging;
                var hashes = Enum.GetValues<InnerState>().Select(state => PlainInterpreter.Run(
                    x.Job with { Parallelism = x.Job.Parallelism with { Averaging = choice with { InnerState = state } } },
                    x.Data).WeightsSha256);
                differing += hashes.Distinct().Count() == 3 ? 1 : 0;
            },
            iter: 50,
            threads: 1);
        differing.ShouldBeGreaterThan(5);
    }

    private static PlainResult EqualSlices(AveragingChoice averaging)
    {
        var job = XorByHand.Job(epochs: 3) with
        {
            Optimizer = new SgdChoice { LearningRate = new ConstantRate(0.1) },
            Parallelism = new Parallelism { Replicas = 2, Averaging = averaging },
        };
        return PlainInterpreter.Run(job, XorByHand.Points, XorByHand.Parameters);
    }
}
