using System.Collections.Immutable;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>Whatever ends of a job while it runs: it is heard of, and nobody keeps anything.</summary>
public sealed class FailingNodesTests
{
    private static readonly TrainingJob _job = Jobs.Deep(stages: 3, microBatches: 3, replicas: 2);
    private static readonly PlainData _points = Jobs.Points();

    [Fact]
    public async Task A_node_that_is_the_keeper_too_goes_on_with_the_state_that_it_sends()
    {
        await using var nodes = await LinkedNodes.StartAsync([1, 1, 1], isKeeperNode: true);
        var changes = new Dictionary<long, ImmutableArray<NodeInfo>> { [2] = nodes.Nodes };
        for (var round = 0; round < 10; round++)
        {
            var run = await nodes.TrainAsync(Long(20), Data(), nodes.Nodes[..2], changes);
            run.Completed.WeightsSha256.ShouldBe(PlainInterpreter.Run(Long(20), _points).WeightsSha256);
            run.Generations.Length.ShouldBe(2);
            await nodes.UntilNothingIsHeldAsync();
        }
    }

    [Theory]
    [InlineData("n*/*/r0-dense1")]
    [InlineData("n*/*/r0-*")]
    [InlineData("n*/*/link-0")]
    [InlineData("n1/*")]
    public async Task A_job_whose_actors_end_for_good_goes_on_with_others(string actors)
    {
        var job = Long(200) with { Checkpoints = new CheckpointPlan { EverySteps = 10 } };
        await using var nodes = await LinkedNodes.StartAsync([1, 1, 1]);
        var killed = false;
        var run = await nodes.TrainStepwiseAsync(job, Data(), nodes.Nodes, 4, (step, _) =>
        {
            if (step == 300 && !killed)
            {
                killed = true;
                nodes.Kill(actors);
            }

            return Task.CompletedTask;
        });
        run.Completed.Recoveries.ShouldBeGreaterThanOrEqualTo(1);
        run.Completed.WeightsSha256.ShouldBe(PlainInterpreter.Run(job, _points).WeightsSha256);
        run.Steps.ShouldBe(Enumerable.Range(1, 600).Select(step => (long)step));
    }

    [Fact]
    public async Task A_job_whose_watcher_is_gone_ends()
    {
        await using var nodes = await LinkedNodes.StartAsync([1, 1, 1]);
        _ = nodes.TrainAsync(Long(1_000_000), Data(), nodes.Nodes);
        await nodes.UntilFramesAsync(100);
        nodes.Forget();
        await nodes.UntilNothingIsHeldAsync();
    }

    private static TrainingJob Long(int epochs) => _job with { Training = _job.Training with { Epochs = epochs } };

    private static DataSet Data() => LinkedExpectation.ToDataSet(_job, _points);
}
