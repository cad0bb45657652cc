using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>Processes come and go while a job trains, and its weights are those of a run that nobody disturbed.</summary>
public sealed class JoinAndLeaveTests
{
    private const int StepsPerEpoch = 16;
    private const int Epochs = 9;
    private const long JoinsAt = Epochs * StepsPerEpoch / 3;
    private const long LeavesAt = JoinsAt * 2;

    [Theory]
    [InlineData(ClusterJobs.Gradients)]
    [InlineData(ClusterJobs.Parameters)]
    public async Task One_joins_and_another_leaves_half_way(string averaging)
    {
        // The job cannot run away while nodes come and go: it waits for whoever watches.
        var run = ClusterJobs.Residual("1f1b", averaging, Epochs) with { StepsAhead = StepsPerEpoch };
        await using var nodes = await OuterNodes.StartAsync();
        await nodes.AddAsync(null, "first", "second");
        var generations = new List<GenerationStarted>();
        using var result = await nodes.RunAsync(run, async happened =>
        {
            switch (happened)
            {
                case GenerationStarted generation:
                    generations.Add(generation);
                    break;
                case StepDone { Step: JoinsAt }:
                    await nodes.AddAsync(null, "third");
                    await nodes.UntilGenerationAsync(2);
                    break;
                case StepDone { Step: LeavesAt }:
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
        generations[1].Step.ShouldBeInRange(JoinsAt, LeavesAt - 1);
        generations[2].Step.ShouldBeInRange(LeavesAt, (Epochs * StepsPerEpoch) - 1);

        // Each did its part in each generation it was in, and in no other.
        foreach (var (generation, statistics) in generations.Zip(result.Generations))
        {
            statistics.Nodes.Select(node => (node.Node, node.ProcessId)).ShouldBe(
                generation.Placement.Nodes.Select(name => (name, nodes[name].Id)), ignoreOrder: true);
            statistics.Nodes.ShouldAllBe(node => node.Stages.Sum(stage => stage.BusySeconds) > 0);
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
