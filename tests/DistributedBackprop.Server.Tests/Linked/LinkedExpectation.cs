using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>What the plain interpreter says of a random job.</summary>
internal static class LinkedExpectation
{
    /// <summary>A job that stays finite completes with the interpreter's bits; one that does not fails for that.</summary>
    public static void ShouldHaveTheBitsOf(this LinkedRun actual, RandomJob random)
    {
        var expected = PlainInterpreter.Run(random.Job, random.Data);
        if (expected.StepLosses.Any(loss => !double.IsFinite(loss))
            || expected.Epochs.Any(epoch => epoch.TestLoss is { } loss && !double.IsFinite(loss))
            || expected.Parameters.Any(parameter => !parameter.Values.All(float.IsFinite)))
        {
            actual.Outcome.ShouldBeOfType<TrainingFailed>().Reason.ShouldNotContain("lost");
            return;
        }

        actual.Completed.WeightsSha256.ShouldBe(expected.WeightsSha256);
        actual.Events.OfType<StepDone>().Select(step => BitConverter.DoubleToInt64Bits(step.Loss))
            .ShouldBe(expected.StepLosses.Select(BitConverter.DoubleToInt64Bits));
    }

    /// <summary>The data of a random job as nodes take them.</summary>
    public static DataSet ToDataSet(this RandomJob random) => ToDataSet(random.Job, random.Data);

    /// <summary>The data of a job as nodes take them.</summary>
    public static DataSet ToDataSet(TrainingJob job, PlainData data) => new(
        Examples.OfFloats(job.Model.Input, [.. data.TrainFeatures.SelectMany(example => example)], data.TrainLabels),
        data.TestFeatures is null
            ? null
            : Examples.OfFloats(job.Model.Input, [.. data.TestFeatures.SelectMany(example => example)], data.TestLabels!));
}
