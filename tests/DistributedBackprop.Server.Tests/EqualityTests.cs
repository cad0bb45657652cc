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
        if (FirstBadStep(expected) is { } step)
        {
            actual.Outcome.ShouldBeOfType<TrainingFailed>().Step.ShouldBe(step, actual.Outcome.ToString());
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

    // A loss that is not finite ends the job at its step, a test loss after its epoch's last one; whichever comes first. A last
    // update that diverges is seen in the weights themselves.
    private static long? FirstBadStep(PlainResult expected)
    {
        var losses = expected.StepLosses.Select((loss, index) => (Loss: loss, Step: index + 1L));
        var tests = expected.Epochs.Where(epoch => epoch.TestLoss is not null).Select(epoch => (Loss: epoch.TestLoss!.Value, epoch.Step));
        var bad = losses.Concat(tests).Where(judged => !double.IsFinite(judged.Loss)).Select(judged => (long?)judged.Step);
        return bad.Min()
            ?? (expected.Parameters.Any(parameter => !parameter.Values.All(float.IsFinite)) ? expected.StepLosses.Count : null);
    }

    private static PlainEpoch ToPlain(EpochDone epoch) =>
        new(epoch.Epoch, epoch.Step, epoch.TrainLoss, epoch.TestLoss, epoch.TestAccuracy);
}
