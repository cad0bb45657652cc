using System.Globalization;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using DistributedBackprop.Simulation.Services;
using Xunit.Abstractions;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>
/// A coordinator that is lost to the others goes on believing, while another process coordinates: its journals fence it off.
/// </summary>
public sealed class TwoCoordinatorsTests(ITestOutputHelper output)
{
    private static readonly ServiceSimulation _simulation = new(DefaultJob.LoadQueue(2), Scenario.Partitions);

    // Two generations began at the end of an epoch, and both took a state there: the ledger took the second for the one that had trained.
    private const ulong EpochsEndTwice = 20261130040;

    [Fact]
    public void The_old_one_is_ended_by_the_fence_and_the_jobs_go_on_with_the_new_one()
    {
        using var service = new SimulatedService(5, DefaultJob.LoadQueue(2));
        var cluster = service.Cluster;
        service.RunUntil(() => service.Jobs.Any(job => job.Trained == 2));
        var old = cluster.CoordinatorName;
        foreach (var worker in cluster.Workers)
        {
            cluster.Weather.Cut(old, worker);
            cluster.Weather.Cut(worker, old);
        }

        var epochs = cluster.Disk.Epochs;
        cluster.TakeOver().ShouldNotBe(old);
        service.RunUntil(() => cluster.Disk.Epochs > epochs);
        cluster.Coordinators.ShouldBe([old, cluster.CoordinatorName]);
        service.RunToEnd().ShouldBeTrue();
        service.Jobs.ShouldAllBe(job => job.WeightsSha256 == _simulation.Expected[job.Id].WeightsSha256);

        // It hears of the other one where it has something to keep, and be it that somebody asks it for something.
        foreach (var worker in cluster.Workers)
        {
            cluster.Weather.Heal(old, worker);
            cluster.Weather.Heal(worker, old);
        }

        cluster.Loop.RunFor(TimeSpan.FromMinutes(2));
        cluster.Coordinators.ShouldBe([cluster.CoordinatorName]);
    }

    [Fact]
    public void Partition_schedules()
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seeds 1 … 40 and {FreshSeeds.First} … {FreshSeeds.First + 79}"));
        var summary = new SimulationSummary();
        var wrong = new List<string>();
        foreach (var seed in Enumerable.Range(1, 40).Select(seed => (ulong)seed).Append(EpochsEndTwice).Concat(FreshSeeds.Take(80)))
        {
            var run = _simulation.Run(seed);
            summary.Add(run);
            wrong.AddRange(run.Problems.Select(problem => $"{seed}: {problem}"));
        }

        wrong.ShouldBeEmpty();
        summary.Faults[FaultKind.TwoCoordinators].ShouldBeGreaterThan(40);
    }

    [Fact]
    public void A_journal_that_fences_nobody_off_is_found()
    {
        var simulation = new ServiceSimulation(DefaultJob.LoadQueue(2), Scenario.Partitions)
        {
            Prepare = service => service.Cluster.Disk.RefusesTakenNumbers = false,
        };
        Enumerable.Range(1, 100).SelectMany(seed => simulation.Run((ulong)seed).Problems)
            .ShouldContain(problem => problem.Contains(" commits ", StringComparison.Ordinal) && problem.Contains("in epoch", StringComparison.Ordinal));
    }
}
