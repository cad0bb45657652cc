using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>Nodes that come while a job runs.</summary>
public sealed class JoiningNodesTests
{
    [Fact]
    public async Task The_others_train_on_while_one_reads_its_data()
    {
        const long Joins = 5;
        const long HasRead = 300;
        var job = Jobs.Deep(replicas: 3);
        job = job with { Training = job.Training with { Epochs = 300 } };
        var points = Jobs.Points();
        await using var nodes = await LinkedNodes.StartAsync([1, 1, 1]);
        var read = new TaskCompletionSource();
        var run = await nodes.TrainStepwiseAsync(job, LinkedExpectation.ToDataSet(job, points), nodes.Nodes[..2], 4, (step, training) =>
        {
            if (step == Joins)
            {
                nodes.ReadSlowly(read.Task);
                training.Nodes(nodes.Nodes);
            }
            else if (step == HasRead)
            {
                read.SetResult();
            }

            return Task.CompletedTask;
        });
        run.Completed.WeightsSha256.ShouldBe(PlainInterpreter.Run(job, points).WeightsSha256);
        run.Events.OfType<GenerationStarted>().Select(began => began.Placement.Nodes.Length).ShouldBe([2, 3]);
        run.Events.OfType<GenerationStarted>().Last().Step.ShouldBeGreaterThanOrEqualTo(HasRead);
        await nodes.UntilNothingIsHeldAsync();
    }
}
