using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Simulation.Services;

/// <summary>
/// A simulated cluster that takes jobs as the service does: into the coordinator's queue, which is in the coordinator's
/// journal. A client hands them in, asks how they are, and asks again where it is not answered, of any coordinator that there is.
/// </summary>
public sealed class SimulatedService : IDisposable
{
    private static readonly TimeSpan _latestSubmission = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan _askAtLeastAfter = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _askAtMostAfter = TimeSpan.FromMilliseconds(400);

    private readonly Dictionary<string, IActorRef> _coordinators = new(StringComparer.Ordinal);
    private readonly Source _source;
    private readonly KeyedGenerator _draws;
    private long _asked;

    /// <summary>Starts a cluster; the client hands the jobs in as it runs.</summary>
    /// <param name="seed">Chooses everything that chance decides.</param>
    /// <param name="jobs">The jobs, each with a name of its own.</param>
    /// <param name="nodes">How many nodes there are at first, ≥ 1.</param>
    /// <param name="options">Default: <see cref="ClusterOptions"/> as they are.</param>
    public SimulatedService(ulong seed, IEnumerable<SimulatedJob> jobs, int nodes = 4, ClusterOptions? options = null)
    {
        Jobs = [.. jobs.Select(job => new ServedJob(job))];
        _source = new Source(this);
        Cluster = new SimulatedCluster(seed, _source, nodes, options);
        _draws = Cluster.Loop.Generator("client");
        Cluster.Loop.MessageHandled += OnHandled;
        foreach (var job in Jobs)
        {
            Cluster.Loop.After(_draws.Between(TimeSpan.Zero, _latestSubmission), () => KeepAsking(job));
        }
    }

    /// <summary>The cluster.</summary>
    public SimulatedCluster Cluster { get; }

    /// <summary>The jobs, as the client knows them.</summary>
    public ImmutableArray<ServedJob> Jobs { get; }

    /// <summary>Whether the client knows of every job that it is over.</summary>
    public bool IsOver => Jobs.All(job => job.Final is not null);

    /// <summary>Runs until every job is over.</summary>
    /// <returns>Whether they are, within <see cref="ClusterOptions.Limit"/>.</returns>
    public bool RunToEnd()
    {
        var end = Cluster.Loop.Now + Cluster.Options.Limit;
        Cluster.Loop.RunUntil(() => IsOver || Cluster.Loop.Now >= end);
        return IsOver;
    }

    /// <summary>Runs until something holds.</summary>
    /// <exception cref="SimulationException">All jobs are over before, or it does not come to hold.</exception>
    public void RunUntil(Func<bool> condition)
    {
        var end = Cluster.Loop.Now + Cluster.Options.Limit;
        Cluster.Loop.RunUntil(() => condition() || IsOver || Cluster.Loop.Now >= end);
        if (!condition())
        {
            throw new SimulationException($"What was waited for does not hold; the jobs are {string.Join(", ", Jobs.Select(job => job.State))}.");
        }
    }

    /// <summary>A job by its name.</summary>
    public ServedJob Job(string name) => Jobs.Single(job => job.Id == name);

    /// <summary>The client has a job put aside.</summary>
    public void Pause(string name) => Act(name, job => job.Hold(true));

    /// <summary>The client lets a job go on.</summary>
    public void Resume(string name) => Act(name, job => job.Hold(false));

    /// <summary>The client has a job end.</summary>
    public void Cancel(string name) => Act(name, job => job.Cancel());

    /// <inheritdoc/>
    public void Dispose() => Cluster.Dispose();

    private void OnHandled(SentMessage sent)
    {
        if (sent.Message is JobEvent { Event: StepDone { Step: var step } } && sent.Sender is not null)
        {
            var sender = TracedPath.Of(sent.Sender);
            Jobs.FirstOrDefault(job => sender.Contains(job.ActorName, StringComparison.Ordinal))?.OnTrained(step);
        }
    }

    private void Act(string name, Action<ServedJob> act)
    {
        act(Job(name));
        Ask(Job(name));
    }

    // Again and again: the client is outside of the cluster, and knows nothing but what it is answered.
    private void KeepAsking(ServedJob job)
    {
        if (job.Final is null)
        {
            Ask(job);
            Cluster.Loop.After(_draws.Between(_askAtLeastAfter, _askAtMostAfter), () => KeepAsking(job));
        }
    }

    private void Ask(ServedJob job)
    {
        var coordinators = Cluster.Coordinators;
        if (coordinators.Count > 0)
        {
            var host = Cluster.HostOf(coordinators[_draws.Below(coordinators.Count)])!;
            var command = job.Next;
            IJobRequest request = command is null ? new StatusRequest(job.Id) : new CommandRequest(command);
            host.Node.After(Cluster.Weather.Latency(_draws), () => Send(host, request, answer => OnAnswer(job, command, answer)));
        }
    }

    private void Send(SimulatedHost host, IJobRequest request, Action<object> answered)
    {
        _asked++;
        var coordinator = _coordinators[host.Node.Label];
        host.Node.System.ActorOf(
            Props.Create(() => new ClientRequest(coordinator, request, answered)),
            string.Create(CultureInfo.InvariantCulture, $"request-{_asked}"));
    }

    private static void OnAnswer(ServedJob job, JobCommand? asked, object answer)
    {
        switch (answer)
        {
            case JobStatus status:
                job.OnStatus(asked, status.Entry, status.Progress.Step);
                break;
            case RequestRefused refused:
                job.OnRefused(asked, refused.Refusal, refused.Reason);
                break;
            default:
                job.Problems.Add($"{job.Id}: the answer is {answer.GetType()}");
                break;
        }
    }

    private sealed class Source(SimulatedService service) : IJobSource
    {
        private readonly ServedData _data = new(service.Jobs);

        public IDataSets Data => _data;

        public void Attach(SimulatedCluster cluster)
        {
        }

        public JobService? ServiceOf(SimulatedHost host) => new(_data.LoadingOn(host.Node), new JobTableLimits());

        public void OnCoordinator(SimulatedHost host, IActorRef coordinator) => service._coordinators[host.Node.Label] = coordinator;
    }
}
