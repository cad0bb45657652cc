using System.Collections.Immutable;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>Runs a job under seeds, with what a scenario does to the cluster, and checks every run.</summary>
/// <param name="job">The job.</param>
/// <param name="scenario">What is to happen.</param>
/// <param name="nodes">How many nodes there are at first, ≥ 1.</param>
/// <param name="expected">What every run must come to; null: an undisturbed run tells.</param>
public sealed class ClusterSimulation(SimulatedJob job, Scenario scenario, int nodes = 4, Expectation? expected = null)
{
    // Beyond any schedule of a small job: what waits there is told again and again.
    internal const int LongestMailbox = 4096;

    private static readonly TimeSpan _release = TimeSpan.FromMinutes(3);

    /// <summary>What every run must come to.</summary>
    public Expectation Expected { get; } = expected ?? Expectation.Of(job);

    /// <summary>Whether the trace is complete; it costs time. Default: true.</summary>
    public bool TracesContent { get; init; } = true;

    /// <summary>Called with the cluster of each run before it begins, to change what passes. Default: null.</summary>
    public Action<SimulatedCluster>? Prepare { get; init; }

    /// <summary>Called with every line of the trace. Default: null.</summary>
    public Action<string>? OnTrace { get; init; }

    /// <summary>Runs one seed.</summary>
    public SimulatedRun Run(ulong seed) => Gaps.Fit(scenario.Least, gaps => Run(seed, gaps));

    private SimulatedRun Run(ulong seed, double gaps)
    {
        using var cluster = new SimulatedCluster(
            seed,
            job,
            nodes,
            new ClusterOptions { TracesContent = TracesContent, OnTrace = OnTrace, Limit = TimeSpan.FromHours(10) });
        var problems = ImmutableArray.CreateBuilder<string>();
        var ledger = new ExampleLedger(job);
        cluster.Loop.MessageHandled = ledger.OnHandled;
        var sessions = new List<ToldSession>();
        var journal = JobJournalActor.IdOf(job.Job.Name);
        cluster.Course.SessionBegins = () => sessions.Add(new ToldSession());
        cluster.Course.Told = told => sessions[^1].Add(told, cluster.Disk, journal);
        Prepare?.Invoke(cluster);
        var injector = new FaultInjector(cluster, scenario, new SingleJobActs(cluster), gaps);
        var wasCalm = false;
        try
        {
            wasCalm = Train(cluster, injector, problems);
            problems.AddRange(ProblemsOf(cluster, ledger, sessions));
        }
        catch (SimulationException e)
        {
            problems.Add(e.Message);
        }

        var times = cluster.Course.Events.ToImmutableArray();
        return new SimulatedRun(
            seed,
            cluster.Course.Outcome,
            problems.ToImmutable(),
            [.. injector.Done],
            wasCalm,
            Enum.GetValues<MessageFault>().ToImmutableSortedDictionary(fault => fault, cluster.Weather.CountOf),
            times,
            times.IsEmpty ? cluster.Loop.Now : times[^1].Time,
            cluster.Loop.MessageCount,
            times.Count(told => told.Event is GenerationStarted),
            SlowestRecovery(times),
            cluster.Loop.TraceHash);
    }

    private bool Train(SimulatedCluster cluster, FaultInjector injector, ImmutableArray<string>.Builder problems)
    {
        cluster.Submit();
        cluster.Loop.RunUntil(() => cluster.Course.Outcome is not null || injector.IsOver || IsTooLate(cluster, injector));
        var wasCalm = cluster.Course.Outcome is null && injector.IsOver;
        cluster.Loop.RunUntil(() => cluster.Course.Outcome is not null || IsTooLate(cluster, injector));
        if (cluster.Course.Outcome is null)
        {
            problems.Add(FormattableString.Invariant(
                $"the job is at step {cluster.Course.Step} of {job.Steps}, {scenario.Within.TotalSeconds} s after the last fault (it must be over)"));
            return wasCalm;
        }

        // What was cut or frozen must be healed before one can ask for what it keeps.
        cluster.Loop.RunUntil(() => injector.IsOver || injector.IsIdle);
        var end = cluster.Loop.Now + _release;
        cluster.Loop.RunUntil(() => Outstanding(cluster) == 0 || cluster.Loop.Now >= end);
        foreach (var host in cluster.LivingHosts.Where(host => host.Pool.Outstanding != 0))
        {
            problems.Add($"{host.Node.Label} keeps {host.Pool.Outstanding} tensors of a job that is over");
        }

        return wasCalm;
    }

    private bool IsTooLate(SimulatedCluster cluster, FaultInjector injector) =>
        injector.IsLate(scenario.Within) || cluster.Loop.Now > cluster.Options.Limit;

    private IEnumerable<string> ProblemsOf(SimulatedCluster cluster, ExampleLedger ledger, List<ToldSession> sessions)
    {
        if (cluster.Course.Outcome is TrainingCompleted completed)
        {
            foreach (var problem in Expected.Problems(completed)
                .Concat(sessions.SelectMany(Expected.ProblemsOf))
                .Concat(ledger.Problems(Expected.Steps.Length)))
            {
                yield return problem;
            }
        }
        else if (cluster.Course.Outcome is { } outcome)
        {
            yield return $"the job ended otherwise: {outcome}";
        }

        if (cluster.Events.Count(told => told is TrainingPaused) is var pauses && pauses > cluster.Course.PausesAsked)
        {
            yield return $"the job has paused {pauses} times, and was asked to {cluster.Course.PausesAsked} times";
        }

        foreach (var problem in cluster.Disk.Audit.Problems(cluster.Disk)
            .Concat(cluster.Control.Refused)
            .Concat(cluster.Tensors.Violations)
            .Take(3))
        {
            yield return problem;
        }

        if (cluster.Loop.LongestMailbox > LongestMailbox)
        {
            yield return $"{cluster.Loop.LongestMailbox} messages waited in a mailbox (at most {LongestMailbox} may)";
        }
    }

    private static long Outstanding(SimulatedCluster cluster) => cluster.LivingHosts.Sum(host => host.Pool.Outstanding);

    internal static TimeSpan SlowestRecovery(ImmutableArray<(TimeSpan Time, TrainingEvent Event)> told)
    {
        var slowest = TimeSpan.Zero;
        TimeSpan? last = null;
        var hasMoved = false;
        foreach (var (time, happened) in told)
        {
            hasMoved |= happened is GenerationStarted;
            if (happened is StepDone)
            {
                slowest = hasMoved && last is { } before && time - before > slowest ? time - before : slowest;
                (last, hasMoved) = (time, false);
            }
        }

        return slowest;
    }
}
