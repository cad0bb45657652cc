using System.Globalization;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using DistributedBackprop.Simulation.Services;
using DistributedBackprop.Training.Jobs.Table;
using Xunit.Abstractions;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>Several jobs in the queue of a service: what was acknowledged ends, whatever happens, and as it must.</summary>
public sealed class ServiceTests(ITestOutputHelper output)
{
    private static readonly ServiceSimulation _simulation = new(DefaultJob.LoadQueue(3), Scenario.Service);

    // States were not given up: those told to a journal that was lost, and the checkpoint of a job that had been cancelled.
    private static readonly ulong[] _once = [87, 20261130019];

    [Fact]
    public void A_job_that_is_cancelled_ends_so_and_the_others_with_their_bits()
    {
        using var service = new SimulatedService(3, DefaultJob.LoadQueue(3));
        service.RunUntil(() => service.Jobs.Any(job => job.Trained == 5));
        var cancelled = service.Jobs.First(job => job.Trained == 5);
        service.Cancel(cancelled.Id);
        service.RunToEnd().ShouldBeTrue();
        cancelled.Final!.State.ShouldBe(JobState.Cancelled);
        foreach (var job in service.Jobs.Where(job => job != cancelled))
        {
            job.WeightsSha256.ShouldBe(_simulation.Expected[job.Id].WeightsSha256);
        }
    }

    [Fact]
    public void A_job_that_is_paused_lets_the_others_by_and_goes_on_where_it_stood()
    {
        using var service = new SimulatedService(4, DefaultJob.LoadQueue(3));
        service.RunUntil(() => service.Jobs.Any(job => job.Trained == 5));
        var paused = service.Jobs.First(job => job.Trained == 5);
        service.Pause(paused.Id);
        service.RunUntil(() => service.Jobs.All(job => job == paused || job.Final is not null));
        service.RunUntil(() => paused.State == JobState.Paused);
        service.Cluster.Kill(service.Cluster.CoordinatorName);
        service.Cluster.Restart(service.Cluster.CoordinatorName);
        service.Resume(paused.Id);
        service.RunToEnd().ShouldBeTrue();
        service.Jobs.ShouldAllBe(job => job.WeightsSha256 == _simulation.Expected[job.Id].WeightsSha256);
    }

    [Fact]
    public void Fixed_seeds_and_fresh_ones()
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seeds 1 … 40 and {FreshSeeds.First} … {FreshSeeds.First + 39}"));
        Wrong(_simulation, Enumerable.Range(1, 40).Select(seed => (ulong)seed).Concat(_once).Concat(FreshSeeds.Take(40))).ShouldBeEmpty();
    }

    [Fact]
    public void Every_kind_of_fault_comes_and_every_end()
    {
        var summary = new SimulationSummary();
        var ends = new SortedSet<JobState>();
        var simulation = new ServiceSimulation(DefaultJob.LoadQueue(3), Scenario.Service)
        {
            Finished = service => ends.UnionWith(service.Jobs.Select(job => job.Final!.State)),
        };
        for (var seed = 1UL; seed <= 80; seed++)
        {
            summary.Add(simulation.Run(seed));
        }

        summary.Faults.Keys.ShouldBe(Scenario.Service.Kinds.Keys, ignoreOrder: true);
        ends.ShouldBe([JobState.Completed, JobState.Cancelled]);
    }

    [Fact]
    public void A_seed_replays_every_message()
    {
        for (var seed = 1UL; seed <= 5; seed++)
        {
            _simulation.Run(seed).TraceHash.ShouldBe(_simulation.Run(seed).TraceHash);
        }
    }

    [Fact]
    public void A_submission_that_is_acknowledged_and_not_kept_is_found() => Found(service =>
        service.Cluster.Disk.EventInterceptor = kept => kept is not TableChanged { Change: Training.Jobs.Table.JobSubmitted });

    [Fact]
    public void The_end_of_a_job_that_is_told_and_not_kept_is_found() => Found(service =>
        service.Cluster.Disk.EventInterceptor = kept => kept is not TableChanged { Change: JobEnded });

    private static void Found(Action<SimulatedService> mistake)
    {
        var simulation = new ServiceSimulation(DefaultJob.LoadQueue(2), Scenario.Service) { Prepare = mistake };
        Enumerable.Range(1, 100).Select(seed => simulation.Run((ulong)seed)).ShouldContain(run => !run.IsRight);
    }

    private List<string> Wrong(ServiceSimulation simulation, IEnumerable<ulong> seeds)
    {
        var wrong = seeds.Select(simulation.Run).Where(run => !run.IsRight).ToList();
        wrong.ForEach(run => output.WriteLine(new Timeline(run).ToText()));
        return [.. wrong.Select(run => $"{run.Seed}: {run.Problems[0]}")];
    }
}
