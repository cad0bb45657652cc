using CsCheck;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests;

/// <summary>The system of actors agrees with the plain interpreter in every bit.</summary>
public sealed class EqualityTests(LocalNodes nodes) : IClassFixture<LocalNodes>
{
    private static readonly Gen<int> _threads = Gen.Int[0, 2].Select(power => 1 << power);

    [Fact]
    public void Random_jobs_have_the_bits_of_the_plain_interpreter() =>
        Gen.Select(new RandomJobs(), _threads).Sample(
            (random, threads) => ShouldEqual(nodes.TrainAsync(random.Job, random.Data, threads).GetAwaiter().GetResult(), random),
            iter: 300,
            threads: 1);

    [Fact]
    public void Random_jobs_that_average_parameters_have_the_bits_of_the_plain_interpreter() =>
        Gen.Select(new RandomJobs(averagesParameters: true), _threads).Sample(
            (random, threads) => ShouldEqual(nodes.TrainAsync(random.Job, random.Data, threads).GetAwaiter().GetResult(), random),
            iter: 300,
            threads: 1);

    [Fact]
    public void No_random_job_leaves_a_tensor_behind()
    {
        Gen.Select(Gen.OneOf(new RandomJobs(), new RandomJobs(averagesParameters: true)), _threads).Sample(
            (random, threads) => _ = nodes.TrainAsync(random.Job, random.Data, threads).GetAwaiter().GetResult(),
            iter: 50,
            threads: 1);
        foreach (var threads in new[] { 1, 2, 4 })
        {
            nodes[threads].Pool.Outstanding.ShouldBe(0);
            nodes[threads].Pool.Leaked.ShouldBe(0);
        }
    }

    private static void ShouldEqual(Observed actual, RandomJob random)
    {
        var expected = PlainInterpreter.Run(random.Job, random.Data);
        var firstBad = expected.StepLosses.ToList().FindIndex(loss => !double.IsFinite(loss));
        if (firstBad >= 0)
        {
            actual.Outcome.ShouldBeOfType<TrainingFailed>().Step.ShouldBe(firstBad + 1);
            return;
        }

        // A last update that diverges is seen by the test loss, or in the weights themselves.
        var firstBadEpoch = expected.Epochs.FirstOrDefault(epoch => epoch.TestLoss is { } loss && !double.IsFinite(loss));
        if (firstBadEpoch is not null || expected.Parameters.Any(parameter => !parameter.Values.All(float.IsFinite)))
        {
            actual.Outcome.ShouldBeOfType<TrainingFailed>().Step.ShouldBe(firstBadEpoch?.Step ?? expected.StepLosses.Count);
            return;
        }

        actual.Losses.Select(BitConverter.DoubleToInt64Bits).ShouldBe(expected.StepLosses.Select(BitConverter.DoubleToInt64Bits));
        actual.Completed.WeightsSha256.ShouldBe(expected.WeightsSha256);
        var wholeEpochs = actual.Events.OfType<EpochDone>().ToList();
        wholeEpochs.Select(ToPlain).ShouldBe(expected.Epochs.Take(wholeEpochs.Count));
        actual.Completed.TrainLoss.ShouldBe(expected.Epochs[^1].TrainLoss);
        actual.Completed.TestLoss.ShouldBe(expected.Epochs[^1].TestLoss);
        actual.Completed.TestAccuracy.ShouldBe(expected.Epochs[^1].TestAccuracy);
    }

    private static PlainEpoch ToPlain(EpochDone epoch) =>
        new(epoch.Epoch, epoch.Step, epoch.TrainLoss, epoch.TestLoss, epoch.TestAccuracy);
}
