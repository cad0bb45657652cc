using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>Processes come and go while a job trains, and its weights are those of a run that nobody disturbed.</summary>
public sealed class JoinAndLeaveTests
{
    private const int StepsPerEpoch = 16;
    private const int Epochs = 9;

    [Theory]
    [InlineData(ClusterJobs.Gradients)]
    [InlineData(ClusterJobs.Parameters)]
    public Task One_joins_and_another_leaves_half_way(string averaging) =>
        OneJoinsAndAnotherLeavesAsync(ClusterJobs.Residual("1f1b", averaging, Epochs), null);

    [SkippableTheory]
    [InlineData(ClusterJobs.Gradients)]
    [InlineData(ClusterJobs.Parameters)]
    public Task One_joins_and_another_leaves_four_replicas_half_way(string averaging) =>
        OneJoinsAndAnotherLeavesAsync(ClusterJobs.Mnist(averaging), SharedData.FolderOf("mnist10k"));

    private static async Task OneJoinsAndAnotherLeavesAsync(JobRun job, string? dataRoot)
    {
        // The job cannot run away while nodes come and go: it waits for whoever watches.
        var run = job with { StepsAhead = StepsPerEpoch };
        var steps = run.Plan.TotalSteps;
        var (joinsAt, leavesAt) = (steps / 3, steps / 3 * 2);
        await using var nodes = await OuterNodes.StartAsync();
        await nodes.AddAsync(dataRoot, "first", "second");
        var generations = new List<GenerationStarted>();
        using var result = await nodes.RunAsync(run, async happened =>
        {
            switch (happened)
            {
                case GenerationStarted generation:
                    generations.Add(generation);
                    break;
                case StepDone step when step.Step == joinsAt:
                    await nodes.AddAsync(dataRoot, "third");
                    await nodes.UntilGenerationAsync(2);
                    break;
                case StepDone step when step.Step == leavesAt:
                    generations.Count.ShouldBe(2);
                    nodes["first"].Signal("TERM");
                    var left = await nodes["first"].EndAsync();
                    left.ExitCode.ShouldBe(ExitCode.Done, left.Errors);
                    left.ShouldShowNoStackTrace();
                    break;
            }
        });

        result.Sha256().ShouldBe(await ClusterJobs.InProcessAsync(run));
        generations.Select(generation => generation.Generation).ShouldBe([1, 2, 3]);
        generations.Select(generation => string.Join(' ', generation.Placement.Nodes)).ShouldBe(
            ["first second", "first second third", "second third"]);
        generations.Select(generation => generation.Reason).ShouldBe(["the job begins", "third joins", "first leaves"]);
        generations[1].Step.ShouldBeInRange(joinsAt, leavesAt - 1);
        generations[2].Step.ShouldBeInRange(leavesAt, steps - 1);

        // Each did its part in each generation it was in, and in no other.
        foreach (var (generation, statistics) in generations.Zip(result.Generations))
        {
            var work = new SharedWork(run, generation.Placement, statistics);
            work.ShouldBeDoneBy([.. generation.Placement.Nodes.Select(name => nodes[name].Id)]);
            work.ShouldHaveCrossedLinks();
            work.ShouldHaveOverlapped();
        }
    }

    [Fact]
    public async Task One_that_comes_back_takes_its_share_where_the_largest_load_stays_what_it_is()
    {
        var run = ClusterJobs.FourReplicas(Epochs) with { StepsAhead = 4 };
        await using var nodes = await OuterNodes.StartAsync();
        await nodes.AddAsync(null, "first", "second", "third");
        var generations = new List<GenerationStarted>();
        using var result = await nodes.RunAsync(run, async happened =>
        {
            switch (happened)
            {
                case GenerationStarted generation:
                    generations.Add(generation);
                    break;
                case StepDone { Step: 8 }:
                    nodes["third"].Signal("KILL");
                    break;
                case StepDone { Step: 32 }:
                    await nodes.AddAsync(null, "third");
                    await nodes.UntilGenerationAsync(3);
                    break;
            }
        });

        result.Sha256().ShouldBe(await ClusterJobs.InProcessAsync(run));
        generations.Select(generation => LoadsOf(generation.Placement)).ShouldBe(["1 1 2", "2 2", "1 1 2"]);
        generations[^1].Reason.ShouldBe("third joins");
        generations[^1].Step.ShouldBeGreaterThanOrEqualTo(32);
    }

    private static string LoadsOf(Placement placement) =>
        string.Join(' ', placement.Nodes.Select(node => placement.ReplicasOn(node, 0).Count()).Order());
}
