using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests;

/// <summary>The jobs that users find in <c>deploy/jobs</c>, on their own data, have the bits of the plain interpreter.</summary>
public sealed class ExampleJobTests(LocalNodes nodes) : IClassFixture<LocalNodes>
{
    [SkippableTheory]
    [InlineData("xor", 40, 1)]
    [InlineData("spirals", 40, 2)]
    [InlineData("digits", 4, 2)]
    [InlineData("residual", 4, 4)]
    [InlineData("mnist10k", 2, 1)]
    public async Task The_first_steps_of_an_example_job_have_the_bits_of_the_interpreter(string name, int steps, int threads)
    {
        var (job, data) = ExampleJobs.Load(name);
        job = job with { Training = job.Training with { Epochs = null, Steps = steps, StopWhen = new StopRule() } };

        // Without a test set: to judge thousands of examples by scalar loops would only repeat the same forward pass.
        var plain = new PlainData(ExampleJobs.FeaturesOf(data.Train, data.Factor), data.Train.Labels.ToArray());
        var expected = PlainInterpreter.Run(job, plain);
        var actual = await nodes.TrainAsync(job, new DataSet(data.Train, null, data.Factor), threads);
        actual.Losses.Select(BitConverter.DoubleToInt64Bits).ShouldBe(expected.StepLosses.Select(BitConverter.DoubleToInt64Bits));
        actual.Completed.WeightsSha256.ShouldBe(expected.WeightsSha256);
    }
}
