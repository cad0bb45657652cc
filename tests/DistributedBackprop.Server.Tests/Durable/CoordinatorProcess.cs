using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Tests.CrashPoints;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Server.Tests.Durable;

/// <summary>
/// What a process that coordinates has, in an actor system of its own that can be ended from one moment to the next. There is
/// one thread for jobs, and no job ever gets beyond being loaded.
/// </summary>
internal sealed class CoordinatorProcess : INodeLife, IJobLoading
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static int _processes;

    private readonly ConcurrentDictionary<string, Channel<IActorRef>> _loads = new();
    private readonly TaskCompletionSource<string> _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ActorSystem _system;
    private long _heard;
    private readonly IActorRef _coordinator;

    private CoordinatorProcess(JobDatabase database, CrashPlan plan, int summaryEvery)
    {
        Name = string.Create(CultureInfo.InvariantCulture, $"process-{Interlocked.Increment(ref _processes)}");
        Plan = plan;
        plan.Rule(Name);
        _system = ActorSystem.Create(Name, CrashPlan.Configuration(database));
        var pool = new TensorPool();
        var directory = _system.ActorOf(StaticDirectory.Props([new NodeInfo(Description, ActorRefs.Nobody, NodePresence.Up)]));
        var store = _system.ActorOf(CheckpointStoreActor.Props(database, pool), CheckpointStoreActor.Name);
        _coordinator = _system.ActorOf(CoordinatorActor.Supervised(
            directory,
            new JobKeeper(pool, null, this, new JobStorage(store, "test", Name) { SummaryEvery = summaryEvery }),
            new JobService(this, new JobTableLimits())));
    }

    public string Name { get; }

    public CrashPlan Plan { get; }

    public NodeDescription Description { get; } = new("worker", 1, null, 1, "", "");

    /// <summary>Completes when the process is to end itself: why.</summary>
    public Task<string> Refused => _refused.Task;

    public static CoordinatorProcess Start(JobDatabase database, CrashPlan? plan = null, int summaryEvery = 500) =>
        new(database, plan ?? new CrashPlan(), summaryEvery);

    public static JobSubmission Submission(string id, string document = "document") => new(id, "name", document, "file", "default", 1);

    /// <summary>Asks; what is refused for now is asked again.</summary>
    public async Task<object> AskAsync(IJobRequest request)
    {
        while (true)
        {
            var answer = await _coordinator.Ask<object>(request, Patience);
            if (answer is not RequestRefused { Refusal: Refusal.NotNow })
            {
                return answer;
            }
        }
    }

    public async Task<T> AskAsync<T>(IJobRequest request) => (await AskAsync(request)).ShouldBeOfType<T>();

    public async Task<JobEntry> DoAsync(JobCommand command) => (await AskAsync<JobStatus>(new CommandRequest(command))).Entry;

    public async Task<IReadOnlyList<JobStatus>> ListAsync() => (await AskAsync<JobList>(new ListRequest([], 0, int.MaxValue - 1))).Jobs;

    public async Task<JobEntry> StatusAsync(string id) => (await AskAsync<JobStatus>(new StatusRequest(id))).Entry;

    /// <summary>Waits until a job is in some state.</summary>
    public async Task UntilAsync(string id, JobState state)
    {
        if (state == JobState.Running)
        {
            // No event tells it: what began is loaded.
            (await LoadsOf(id).Reader.WaitToReadAsync()).ShouldBeTrue();
            return;
        }

        for (var after = 0L; ;)
        {
            if ((await StatusAsync(id)).State == state)
            {
                return;
            }

            after = (await AskAsync<EventBatch>(new EventsRequest(id, after, 1, 1))).Next;
        }
    }

    /// <summary>Waits until a job that runs tells why it cannot go on; each time it is asked for the next one.</summary>
    public async Task<TrainingWaits> UntilWaitsAsync(string id)
    {
        while (true)
        {
            var batch = await AskAsync<EventBatch>(new EventsRequest(id, _heard, 1, 1));
            _heard = batch.Next;
            if (batch.Events is [{ Event: TrainingWaits waits }])
            {
                return waits;
            }
        }
    }

    /// <summary>A job that runs here is loaded, or cannot be; of one that does not there is nothing to do.</summary>
    public async Task LoadedAsync(string id, string? reason)
    {
        if ((await StatusAsync(id)).State == JobState.Running)
        {
            var receiver = await LoadsOf(id).Reader.ReadAsync();
            receiver.Tell(new JobLoaded(id, reason is null ? Run(id) : null, reason));
        }
    }

    /// <summary>Stops the actor of a job that runs, as the end of its process does, but everything else goes on.</summary>
    /// <param name="id">Which job; the first one that has begun here.</param>
    public async Task StopJobAsync(string id)
    {
        var path = $"/user/{_coordinator.Path.Name}/{CoordinatorActor.Name}/{JobHash.Of(id):x16}-1";
        var job = await FoundAsync(path);
        var gone = job.WatchAsync();
        _system.Stop(job);
        await gone.WaitAsync(Patience);
    }

    /// <summary>Ends it at once.</summary>
    public async Task KillAsync()
    {
        ((ExtendedActorSystem)_system).Abort();
        await _system.WhenTerminated.WaitAsync(Patience);
        CrashPlan.Forget(Name);
    }

    void INodeLife.OnDirectory(IActorRef directory)
    {
    }

    void INodeLife.OnRefused(string reason) => _refused.TrySetResult(reason);

    void IJobLoading.Load(JobSubmission submission, IActorRef receiver) => LoadsOf(submission.Id).Writer.TryWrite(receiver);

    private async Task<IActorRef> FoundAsync(string path)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (true)
        {
            // Asked and answered again and again, until it is there.
            deadline.Token.ThrowIfCancellationRequested();
            if ((await _system.ActorSelection(path).Ask<ActorIdentity>(new Identify(path), Patience)).Subject is { } found)
            {
                return found;
            }
        }
    }

    private static JobRun Run(string id)
    {
        var job = Tests.Jobs.Deep();
        var graph = Graph.Of(job.Model, job.Seed);
        return new JobRun(id, job, graph, DataLoader.Load(job, graph.Output, "."), null);
    }

    private Channel<IActorRef> LoadsOf(string id) => _loads.GetOrAdd(id, _ => Channel.CreateUnbounded<IActorRef>());
}
