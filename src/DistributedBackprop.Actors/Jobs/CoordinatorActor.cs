using Akka.Actor;
using Akka.Pattern;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>A job is handed in. The answer is <see cref="JobAccepted"/> or <see cref="JobRejected"/>.</summary>
/// <param name="Run">The job.</param>
/// <param name="Watcher">Who hears of it.</param>
/// <param name="Start">Where it goes on; taken. Null: it begins.</param>
public sealed record SubmitJob(JobRun Run, IActorRef Watcher, JobStart? Start = null) : INoSerializationVerificationNeeded
{
    /// <summary>Names its journal, where jobs outlive their process; null: the job's id does.</summary>
    public string? JournalName { get; init; }

    /// <summary>The takeover of the coordinator's own journal under which it is handed in; 0 where there is none.</summary>
    public long CoordinatorEpoch { get; init; }

    /// <summary>Its place among the jobs handed in.</summary>
    public long Order { get; init; }

    /// <summary><see cref="PauseJob"/> or <see cref="CancelJob"/> where that is wanted of it already; else null.</summary>
    public object? Wish { get; init; }

    /// <summary>The number of the job's last event, ≥ 0: whoever watches it counts those that follow from there.</summary>
    public long LastEvent { get; init; }
}

/// <summary>The answer to <see cref="SubmitJob"/>.</summary>
/// <param name="Job">The job's actor: whoever watches answers it, and may cancel it.</param>
public sealed record JobAccepted(IActorRef Job) : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="SubmitJob"/>.</summary>
/// <param name="Reason">Why not, for people.</param>
public sealed record JobRejected(string Reason) : INoSerializationVerificationNeeded;

/// <summary>
/// There is one in a cluster: has one child for each job that runs, and one for the queue of those that are handed in
/// through the service (<see cref="IJobRequest"/>). A job whose actor fails is not started anew: its watcher is told that it
/// is over. Nobody is told of one that is stopped with its process: it goes on with the next one.
/// </summary>
public sealed class CoordinatorActor : ReceiveActor
{
    /// <summary>The actor's name.</summary>
    public const string Name = "coordinator";

    private static readonly TimeSpan _restartAfterLeast = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _restartAfterMost = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, (IActorRef Job, IActorRef Watcher)> _running = new(StringComparer.Ordinal);
    private long _accepted;

    /// <summary>Makes the actor.</summary>
    /// <param name="directory">Knows the nodes.</param>
    /// <param name="keeper">What this process has.</param>
    /// <param name="generations">The generations that there have been; kept where this actor is started anew.</param>
    /// <param name="service">The jobs of its service; null where nobody asks for one.</param>
    /// <param name="held">Whether this process has had the coordinator's journal; kept where this actor is started anew.</param>
    public CoordinatorActor(
        IActorRef directory, JobKeeper keeper, GenerationNumbers generations, JobService? service, HeldJournal held)
    {
        ArgumentNullException.ThrowIfNull(generations);
        var queue = service is null
            ? null
            : Context.Watch(Context.ActorOf(JobQueueActor.Props(directory, service, keeper, held), JobQueueActor.Name));
        Receive<IJobRequest>(request => queue?.Forward(request));
        Receive<SubmitJob>(submit =>
        {
            var run = submit.Run;
            if (_running.ContainsKey(run.Id))
            {
                Sender.Tell(new JobRejected($"job {run.Id} is running"));
                return;
            }

            // A name of its own: the actor of an earlier run of the job may not be gone yet.
            _accepted++;
            var props = keeper.Storage is { } storage
                ? DurableJobActor.Props(run, directory, keeper, submit.Watcher, JournalOf(submit, storage), submit.LastEvent)
                : JobActor.Props(run, directory, keeper, submit.Watcher, StartOf(submit, generations));
            var job = Context.ActorOf(props, $"{JobHash.Of(run.Id):x16}-{_accepted}");
            _running.Add(run.Id, (Context.Watch(job), submit.Watcher));
            if (submit.Wish is not null)
            {
                job.Tell(submit.Wish);
            }

            Sender.Tell(new JobAccepted(job));
        });
        Receive<JobEnds>(ends => _running.Remove(ends.JobId));
        Receive<Terminated>(gone =>
        {
            if (gone.ActorRef.Equals(queue))
            {
                // Without it nobody would be answered: all begins anew.
                Context.Stop(Self);
            }

            foreach (var (id, _) in _running.Where(pair => pair.Value.Job.Equals(gone.ActorRef)).ToList())
            {
                _running.Remove(id);
            }
        });
        Receive<NodesLeftBehind>(left =>
        {
            if (!left.Agents.IsEmpty)
            {
                Context.ActorOf(FarewellActor.Props(left));
            }
        });
        Receive<GenerationBegins>(begins => generations.OnBegun(begins.JobId, begins.Generation));
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(IActorRef directory, JobKeeper keeper, JobService? service = null)
    {
        var generations = new GenerationNumbers();
        var held = new HeldJournal();
        return Akka.Actor.Props.Create(() => new CoordinatorActor(directory, keeper, generations, service, held));
    }

    /// <summary>How to make the actor's supervisor, which starts it anew, ever more slowly, whatever ended it.</summary>
    public static Props Supervised(IActorRef directory, JobKeeper keeper, JobService? service = null) => BackoffSupervisor.Props(
        Backoff.OnStop(Props(directory, keeper, service), Name, _restartAfterLeast, _restartAfterMost, randomFactor: 0.2, maxNrOfRetries: -1));

    private static JournalOfJob JournalOf(SubmitJob submit, JobStorage storage)
    {
        var run = submit.Run;

        // What its journal says holds, also against what somebody kept in memory.
        submit.Start?.Dispose();
        var submitted = new JobSubmitted(
            run.Id,
            CanonicalForm.Of(run.Job),
            run.DataRoot,
            run.Data.Fingerprint,
            null,
            null,
            storage.ProgramVersion,
            submit.Order,
            Context.System.Scheduler.Now);
        return new JournalOfJob(submitted, run.StateLayout(), storage.Store, run.Job.Checkpoints.Keep)
        {
            Name = submit.JournalName ?? run.Id,
            Process = storage.Process,
            CoordinatorEpoch = submit.CoordinatorEpoch,
            SummaryEvery = storage.SummaryEvery,
            IsForced = run.IsForced,
        };
    }

    private static JobStart StartOf(SubmitJob submit, GenerationNumbers generations)
    {
        var start = submit.Start ?? new JobStart();
        return start with { LastGeneration = Math.Max(start.LastGeneration, generations.LastOf(submit.Run.Id)) };
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(exception =>
    {
        foreach (var (id, (_, watcher)) in _running.Where(pair => pair.Value.Job.Equals(Sender)))
        {
            watcher.Tell(new JobOver(new TrainingFailed(id, 0, null, FailedActor.ReasonOf(exception)), [], []));
        }

        return Directive.Stop;
    });
}
