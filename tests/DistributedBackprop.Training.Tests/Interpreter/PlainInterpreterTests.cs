using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

public sealed class PlainInterpreterTests
{
    [Fact]
    public void A_step_of_the_exclusive_or_comes_out_as_by_hand()
    {
        // All residuals are ½, so with a mean over 4 every delta is 2·½/4 = ¼.
        //   x      z       h      y    δ·W₂ through relu
        //   0 0    0 −1    0 0    ½    0 0
        //   0 1    1  0    1 0    1½   ¼ 0
        //   1 0    1  0    1 0    1½   ¼ 0
        //   1 1    2  1    2 1    ½    ¼ −½
        var result = PlainInterpreter.Run(XorByHand.Job(), XorByHand.Points, XorByHand.Parameters);
        result.StepLosses.ShouldBe([0.25]);
        result.Epochs.ShouldBe([new PlainEpoch(1, 1, 0.25, null, null)]);
        result.Parameters.Select(p => p.Name).ShouldBe(["dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias"]);
        result.Parameters.Select(p => p.Shape.ToString()).ShouldBe(["[2, 2]", "[2]", "[1, 2]", "[1]"]);
        result.Parameters[0].Values.ShouldBe([1 - 0.25f, 1 - 0.25f, 1 + 0.25f, 1 + 0.25f]);
        result.Parameters[1].Values.ShouldBe([0 - 0.375f, -1 + 0.25f]);
        result.Parameters[2].Values.ShouldBe([1 - 0.5f, -2 - 0.125f]);
        result.Parameters[3].Values.ShouldBe([0.5f - 0.5f]);
    }

    [Fact]
    public void The_next_loss_and_the_evaluation_come_out_as_by_hand()
    {
        // After the step above y is 0, −0.875, −0.875, −3.15625: squares 0, 3.515625 twice, 9.9619140625 against 0 1 1 0.
        const double Expected = ((2 * 3.515625) + 9.9619140625) / 4;
        var data = XorByHand.TestedPoints;
        var result = PlainInterpreter.Run(XorByHand.Job(epochs: 2), data, XorByHand.Parameters);
        result.StepLosses.ShouldBe([0.25, Expected]);
        result.Epochs[0].ShouldBe(new PlainEpoch(1, 1, 0.25, Expected, 0.5));
        (result.Epochs[1].Step, result.Epochs[1].TrainLoss).ShouldBe((2, Expected));
    }

    [Fact]
    public void The_hash_is_that_of_the_bytes()
    {
        PlainParameter[] parameters = [new("a.weight", new(2), [1f, -2f]), new("a.bias", new(1), [0.5f])];
        var bytes = Convert.FromHexString("0000803F000000C00000003F");
        new PlainResult([], [], parameters).WeightsSha256
            .ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)));
    }

    [Theory]
    [InlineData(0.25, null, null, 1)]
    [InlineData(0.24, null, null, 5)]
    [InlineData(null, 0.75, null, 1)]
    [InlineData(null, 0.76, null, 5)]
    [InlineData(null, null, 3, 4)]
    [InlineData(null, null, 5, 5)]
    public void A_job_stops_at_an_epochs_end_once_a_condition_is_met(
        double? trainLoss, double? testAccuracy, int? patience, int epochs)
    {
        var stop = new StopRule { TrainLoss = trainLoss, TestAccuracy = testAccuracy, Patience = patience };
        var plan = new TrainingPlan { BatchSize = 4, Epochs = 5, StopWhen = stop };
        var data = XorByHand.TestedPoints with { TestLabels = [0, 1, 1, 1] };

        // A rate of 0 keeps every figure as it is: the train loss is ¼ and the last label is the only one missed.
        var job = XorByHand.Job() with { Training = plan, Optimizer = new SgdChoice { LearningRate = new ConstantRate(0) } };
        PlainInterpreter.Run(job, data, XorByHand.Parameters).Epochs.Count.ShouldBe(epochs);
    }

    [Fact]
    public void Patience_counts_epochs_without_a_lower_test_loss()
    {
        double[] losses = [3, 2, 2, 2.5, 1, 1, 1];
        var epochs = losses.Select((loss, i) => new PlainEpoch(i + 1, i + 1, 0, loss, 0)).ToArray();
        var rule = new StopRule { Patience = 2 };
        Enumerable.Range(1, losses.Length).Select(n => PlainStopRule.IsMet(rule, epochs[..n]))
            .ShouldBe([false, false, false, true, false, false, true]);
    }

    [Fact]
    public void Steps_may_end_within_an_epoch_and_the_last_batch_of_one_may_be_short()
    {
        var job = XorByHand.Job() with { Training = new TrainingPlan { BatchSize = 3, Steps = 5 } };
        var result = PlainInterpreter.Run(job, XorByHand.Points);
        result.Epochs.Select(e => e.Step).ShouldBe([2, 4, 5]);
        result.Epochs[0].TrainLoss.ShouldBe(((result.StepLosses[0] * 3) + result.StepLosses[1]) / 4, 1e-12);
        result.Epochs[2].TrainLoss.ShouldBe(result.StepLosses[4], 1e-15);
    }

    [Fact]
    public void Dropout_works_in_training_only()
    {
        var job = XorByHand.Job() with { Optimizer = new SgdChoice { LearningRate = new ConstantRate(0) } };
        var (with, without) = (Run(rate: 0.5), Run(rate: 0));
        with.TestLoss.ShouldBe(without.TestLoss);
        with.TrainLoss.ShouldNotBe(without.TrainLoss);

        PlainEpoch Run(double rate)
        {
            var dropout = new ModelLayer("dropout1", ["dense1"], new DropoutKind(rate));
            var last = job.Model.Layers[1] with { Inputs = ["dropout1"] };
            var model = job.Model with { Layers = [job.Model.Layers[0], dropout, last] };
            return PlainInterpreter.Run(job with { Model = model }, XorByHand.TestedPoints, XorByHand.Parameters).Epochs[0];
        }
    }

    [Fact]
    public void A_network_learns_the_exclusive_or()
    {
        var adam = new AdamChoice { LearningRate = new ConstantRate(0.05) };
        var hidden = new DenseKind(8, new Activation(ActivationFunction.Tanh), true, new Initializer(InitializerKind.Default));
        var job = XorByHand.Job(epochs: 200) with { Optimizer = adam };
        var layers = job.Model.Layers.SetItem(0, job.Model.Layers[0] with { Kind = hidden });
        var data = XorByHand.TestedPoints;
        var last = PlainInterpreter.Run(job with { Model = job.Model with { Layers = layers } }, data).Epochs[^1];
        last.TestAccuracy.ShouldBe(1);
        last.TestLoss!.Value.ShouldBeLessThan(0.01);
    }
}
