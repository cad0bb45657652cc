using System.Collections.Immutable;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using DistributedBackprop.Simulation.Services;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>
/// Hands several jobs in through the queue of a service, under seeds, with what a scenario does to the cluster and to the
/// jobs, and checks every run.
/// </summary>
/// <param name="jobs">The jobs, each with a name of its own.</param>
/// <param name="scenario">What is to happen.</param>
/// <param name="nodes">How many nodes there are at first, ≥ 1.</param>
public sealed class ServiceSimulation(ImmutableArray<SimulatedJob> jobs, Scenario scenario, int nodes = 4)
{
    private static readonly TimeSpan _release = TimeSpan.FromMinutes(6);

    /// <summary>What every run of each job must come to, by its name.</summary>
    public ImmutableSortedDictionary<string, Expectation> Expected { get; } =
        jobs.ToImmutableSortedDictionary(job => job.Job.Name, Expectation.Of);

    /// <summary>Whether the trace is complete; it costs time. Default: true.</summary>
    public bool TracesContent { get; init; } = true;

    /// <summary>Called with the service of each run before it begins, to change what passes. Default: null.</summary>
    public Action<SimulatedService>? Prepare { get; init; }

    /// <summary>Called with every line of the trace. Default: null.</summary>
    public Action<string>? OnTrace { get; init; }

    /// <summary>Called with the service of each run at its end. Default: null.</summary>
    public Action<SimulatedService>? Finished { get; init; }

    /// <summary>Runs one seed.</summary>
    public SimulatedRun Run(ulong seed) => Gaps.Fit(scenario.Least, gaps => Run(seed, gaps));

    private SimulatedRun Run(ulong seed, double gaps)
    {
        using var service = new SimulatedService(
            seed, jobs, nodes, new ClusterOptions { TracesContent = TracesContent, OnTrace = OnTrace, Limit = TimeSpan.FromHours(10) });
        var loop = service.Cluster.Loop;
        var problems = ImmutableArray.CreateBuilder<string>();
        var ledgers = service.Jobs.ToDictionary(job => job.Id, job => new ExampleLedger(job.Job), StringComparer.Ordinal);
        var courses = service.Jobs.ToDictionary(job => job.Id, job => new ServedCourse(service.Cluster, job), StringComparer.Ordinal);
        loop.MessageHandled += sent =>
        {
            foreach (var job in service.Jobs)
            {
                ledgers[job.Id].OnHandled(sent);
                courses[job.Id].OnHandled(sent);
            }
        };
        Prepare?.Invoke(service);
        var injector = new FaultInjector(service.Cluster, scenario, new ServedJobActs(service), gaps);
        var wasCalm = false;
        try
        {
            wasCalm = Train(service, injector, problems);
            problems.AddRange(service.Jobs.SelectMany(job => ProblemsOf(job, ledgers[job.Id], courses[job.Id])));
            problems.AddRange(ProblemsOf(service));
        }
        catch (SimulationException e)
        {
            problems.Add(e.Message);
        }

        Finished?.Invoke(service);
        return Result(seed, service, injector, wasCalm, problems.ToImmutable(), [.. courses.Values]);
    }

    private bool Train(SimulatedService service, FaultInjector injector, ImmutableArray<string>.Builder problems)
    {
        var loop = service.Cluster.Loop;
        loop.RunUntil(() => service.IsOver || injector.IsOver || loop.Now > service.Cluster.Options.Limit);
        var wasCalm = !service.IsOver && injector.IsOver;
        loop.RunUntil(() => service.IsOver || injector.IsLate(scenario.Within) || loop.Now > service.Cluster.Options.Limit);
        foreach (var job in service.Jobs.Where(job => job.Final is null))
        {
            problems.Add(FormattableString.Invariant(
                $"{job.Id} is {(job.IsAcknowledged ? "acknowledged" : "not even acknowledged")} and {job.State}, after step {job.Step}, {scenario.Within.TotalSeconds} s after the last fault (it must be over)"));
        }

        if (!service.IsOver)
        {
            return wasCalm;
        }

        // What was cut or frozen must be healed before one can ask for what it keeps.
        loop.RunUntil(() => injector.IsIdle);
        var end = loop.Now + _release;
        loop.RunUntil(() => service.Cluster.LivingHosts.All(host => host.Pool.Outstanding == 0) || loop.Now >= end);
        foreach (var host in service.Cluster.LivingHosts.Where(host => host.Pool.Outstanding != 0))
        {
            problems.Add($"{host.Node.Label} keeps {host.Pool.Outstanding} tensors of jobs that are over");
        }

        return wasCalm;
    }

    private IEnumerable<string> ProblemsOf(ServedJob job, ExampleLedger ledger, ServedCourse course)
    {
        foreach (var problem in job.Problems.Concat(course.Problems(Expected[job.Id])))
        {
            yield return problem;
        }

        switch (job.Final)
        {
            case { Outcome: TrainingCompleted completed }:
                if (job.IsCancelAcknowledged)
                {
                    yield return $"{job.Id} has completed, and its cancel was acknowledged before";
                }

                foreach (var problem in Expected[job.Id].Problems(completed).Concat(ledger.Problems(Expected[job.Id].Steps.Length)))
                {
                    yield return $"{job.Id}: {problem}";
                }

                break;
            case { State: JobState.Cancelled } when job.WasCancelled:
            case null:
                break;
            case { } entry:
                yield return $"{job.Id} ended as {entry.State}: {entry.Outcome}";
                break;
        }
    }

    private static IEnumerable<string> ProblemsOf(SimulatedService service)
    {
        var cluster = service.Cluster;
        foreach (var problem in cluster.Disk.Audit.Problems(cluster.Disk)
            .Concat(cluster.Control.Refused)
            .Concat(cluster.Tensors.Violations)
            .Take(5))
        {
            yield return problem;
        }

        if (cluster.Loop.LongestMailbox > ClusterSimulation.LongestMailbox)
        {
            yield return $"{cluster.Loop.LongestMailbox} messages waited in a mailbox (at most {ClusterSimulation.LongestMailbox} may)";
        }

        // What the next coordinator would know.
        var history = new CoordinatorHistory(new JobTableLimits());
        if (ReadingProblem(history, cluster.Disk) is { } unreadable)
        {
            yield return unreadable;
            yield break;
        }

        foreach (var job in service.Jobs.Where(job => job.IsAcknowledged))
        {
            var entry = history.Table.Find(job.Id);
            if (entry is not { IsOver: true } || (job.Final is { } final && entry.Outcome != final.Outcome))
            {
                yield return $"{job.Id} was acknowledged and told to be {job.Final?.Outcome}; the journal says {entry?.State}, {entry?.Outcome}";
            }
        }
    }

    private static string? ReadingProblem(CoordinatorHistory history, SimulatedDisk disk)
    {
        try
        {
            foreach (var record in disk.Audit.EventsOf("coordinator"))
            {
                history.Apply((CoordinatorRecord)record);
            }

            return null;
        }
        catch (JournalException contradiction)
        {
            return $"no later coordinator can read the journal: {contradiction.Message}";
        }
    }

    private static SimulatedRun Result(
        ulong seed, SimulatedService service, FaultInjector injector, bool wasCalm, ImmutableArray<string> problems, List<ServedCourse> courses)
    {
        var cluster = service.Cluster;
        var told = courses.SelectMany(course => course.Events).OrderBy(happened => happened.Time).ToImmutableArray();
        return new SimulatedRun(
            seed,
            service.Jobs.Length == 1 ? service.Jobs[0].Final?.Outcome : null,
            problems,
            [.. injector.Done],
            wasCalm,
            Enum.GetValues<MessageFault>().ToImmutableSortedDictionary(fault => fault, cluster.Weather.CountOf),
            told,
            told.IsEmpty ? cluster.Loop.Now : told[^1].Time,
            cluster.Loop.MessageCount,
            told.Count(happened => happened.Event is GenerationStarted),
            courses.Max(course => ClusterSimulation.SlowestRecovery([.. course.Events])),
            cluster.Loop.TraceHash);
    }
}
