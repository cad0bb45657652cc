using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>Trained on any number of processes, a job has the weights of one process, and the work was truly shared.</summary>
/// <param name="cluster">The processes.</param>
public abstract class OneHashTests(ClusterOf cluster)
{
    [SkippableTheory]
    [InlineData(ClusterJobs.Gradients)]
    [InlineData(ClusterJobs.Parameters)]
    public async Task Four_replicas(string averaging) => await SameAsInProcess(ClusterJobs.Mnist(averaging));

    [Theory]
    [InlineData("gpipe", ClusterJobs.Gradients)]
    [InlineData("gpipe", ClusterJobs.Parameters)]
    [InlineData("1f1b", ClusterJobs.Gradients)]
    [InlineData("1f1b", ClusterJobs.Parameters)]
    public async Task Two_replicas_of_three_stages(string schedule, string averaging) =>
        await SameAsInProcess(ClusterJobs.Residual(schedule, averaging));

    private async Task SameAsInProcess(JobRun run)
    {
        var generations = new List<GenerationStarted>();
        using var result = await cluster.Training.RunAsync(run, happened =>
        {
            if (happened is GenerationStarted generation)
            {
                generations.Add(generation);
            }
        });
        result.Sha256().ShouldBe(await ClusterJobs.InProcessAsync(run));

        var placement = generations.ShouldHaveSingleItem().Placement;
        placement.Nodes.Length.ShouldBe(cluster.Count);
        var work = new SharedWork(run, placement, result.Generations.ShouldHaveSingleItem());
        work.ShouldBeDoneBy([.. cluster.Training.Nodes.Select(node => node.Description.ProcessId)]);
        work.ShouldHaveCrossedLinks();
        work.ShouldHaveOverlapped();
        work.ShouldTellItsBubble();
        work.ShouldHaveCountedItsAveraging();
        (cluster.Training.Plane.Settings.Tls is not null).ShouldBe(cluster.IsTls);
        cluster.Told.ShouldNotContain(line => line.Contains(" ended with exit code", StringComparison.Ordinal));
        cluster.Told.ShouldNotContain(line => line.Contains("heartbeat was delayed", StringComparison.OrdinalIgnoreCase));
    }
}

/// <summary>On one process besides the parent's.</summary>
public sealed class OneHashOnOneNodeTests(ClusterOfOne cluster) : OneHashTests(cluster), IClassFixture<ClusterOfOne>;

/// <summary>On two processes: replicas side by side.</summary>
public sealed class OneHashOnTwoNodesTests(ClusterOfTwo cluster) : OneHashTests(cluster), IClassFixture<ClusterOfTwo>;

/// <summary>On two processes that speak TLS with each other.</summary>
public sealed class OneHashOverTlsTests(ClusterOfTwoOverTls cluster) : OneHashTests(cluster), IClassFixture<ClusterOfTwoOverTls>;

/// <summary>On three processes, which have not the same work.</summary>
public sealed class OneHashOnThreeNodesTests(ClusterOfThree cluster) : OneHashTests(cluster), IClassFixture<ClusterOfThree>;

/// <summary>On four processes: a replica of its own for each, or a part of a pipeline.</summary>
public sealed class OneHashOnFourNodesTests(ClusterOfFour cluster) : OneHashTests(cluster), IClassFixture<ClusterOfFour>;
