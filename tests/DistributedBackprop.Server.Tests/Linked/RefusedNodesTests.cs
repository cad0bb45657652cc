using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>Nodes that cannot take part: a job that never began ends with the reason, one that has trained waits.</summary>
public sealed class RefusedNodesTests
{
    private const int StepsOfTwentyEpochs = 60;
    private static readonly TrainingJob _job = Long(Jobs.Deep(stages: 3, microBatches: 3, replicas: 2));
    private static readonly PlainData _points = Jobs.Points();

    [Fact]
    public async Task A_job_that_every_node_refuses_at_its_beginning_fails()
    {
        await using var nodes = await LinkedNodes.StartAsync([1, 1]);
        nodes.Withhold("the disk is on fire");
        var run = await nodes.TrainAsync(_job, Data(), nodes.Nodes);
        run.Outcome.ShouldBeOfType<TrainingFailed>().Reason.ShouldBe(
            "n1 is refused: the disk is on fire; n2 is refused: the disk is on fire");
        await nodes.UntilNothingIsHeldAsync();
    }

    [Fact]
    public async Task A_job_that_has_trained_waits_until_a_node_is_mended_and_started_again()
    {
        await using var nodes = await LinkedNodes.StartAsync([1, 1]);
        var waits = 0;
        var run = await nodes.TrainStepwiseAsync(
            _job,
            Data(),
            nodes.Nodes,
            4,
            async (step, job) =>
            {
                if (step == 20)
                {
                    nodes.Withhold("the disk is on fire");
                    await nodes.DieAsync("n2");
                    job.Nodes(nodes.Nodes[..1]);
                }
            },
            onWaits: async job =>
            {
                waits++;
                nodes.Withhold(null);
                await nodes.DieAsync("n1");
                await nodes.ReviveAsync("n1");
                job.Nodes(nodes.Nodes[..1]);
            });
        run.Completed.WeightsSha256.ShouldBe(PlainInterpreter.Run(_job, _points).WeightsSha256);
        run.Steps.ShouldBe(Enumerable.Range(1, StepsOfTwentyEpochs).Select(step => (long)step));
        waits.ShouldBe(1);
        run.Events.OfType<TrainingWaits>().ShouldHaveSingleItem().Reason.ShouldContain("n1 is refused: the disk is on fire");
        await nodes.UntilNothingIsHeldAsync();
    }

    // A message that is too large is dropped without a word: the job would begin generation after generation.
    [Fact]
    public async Task A_job_that_is_too_large_to_be_told_to_nodes_fails_with_the_reason()
    {
        await using var nodes = await LinkedNodes.StartAsync([1, 1]);
        var noise = new Random(5);
        var name = Model.InputName;
        var job = _job with
        {
            Model = new Model(_job.Model.Input, [
                .. Enumerable.Range(0, 200).Select(_ =>
                {
                    var before = name;
                    name = string.Concat(Enumerable.Range(0, 800).Select(_ => (char)noise.Next('A', 'z')));
                    return new ModelLayer(name, [before], new DenseKind(2, null, true, new Initializer(InitializerKind.Default)), 1);
                }),
            ]),
        };
        var run = await nodes.TrainAsync(job, Data(), nodes.Nodes);
        run.Outcome.ShouldBeOfType<TrainingFailed>().Reason.ShouldMatch(
            "^the job cannot be sent to its nodes: a message prepare-generation must have at most 100000 bytes");
        run.Generations.ShouldHaveSingleItem();
        await nodes.UntilNothingIsHeldAsync();
    }

    private static TrainingJob Long(TrainingJob job) => job with { Training = job.Training with { Epochs = 20 } };

    private static DataSet Data() => LinkedExpectation.ToDataSet(_job, _points);
}
