using Akka.Actor;
using Akka.Pattern;
using DistributedBackprop.Actors.Transport;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>A job is handed in. The answer is <see cref="JobAccepted"/> or <see cref="JobRejected"/>.</summary>
/// <param name="Run">The job.</param>
/// <param name="Watcher">Who hears of it.</param>
public sealed record SubmitJob(JobRun Run, IActorRef Watcher) : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="SubmitJob"/>.</summary>
/// <param name="Job">The job's actor: whoever watches answers it, and may cancel it.</param>
public sealed record JobAccepted(IActorRef Job) : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="SubmitJob"/>.</summary>
/// <param name="Reason">Why not, for people.</param>
public sealed record JobRejected(string Reason) : INoSerializationVerificationNeeded;

/// <summary>
/// There is one in a cluster: has one child for each job. A job that fails itself is not started anew: its watcher is told
/// that it is over.
/// </summary>
public sealed class CoordinatorActor : ReceiveActor
{
    /// <summary>The actor's name.</summary>
    public const string Name = "coordinator";

    private static readonly TimeSpan _restartAfterLeast = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _restartAfterMost = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, IActorRef> _running = new(StringComparer.Ordinal);
    private long _accepted;

    /// <summary>Makes the actor.</summary>
    /// <param name="directory">Knows the nodes.</param>
    /// <param name="keeper">What this process has.</param>
    /// <param name="generations">The generations that there have been; kept where this actor is started anew.</param>
    public CoordinatorActor(IActorRef directory, JobKeeper keeper, GenerationNumbers generations)
    {
        ArgumentNullException.ThrowIfNull(generations);
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
            var job = Context.ActorOf(
                JobActor.Props(
                    run, directory, keeper, submit.Watcher, new JobStart { LastGeneration = generations.LastOf(run.Id) }),
                $"{JobHash.Of(run.Id):x16}-{_accepted}");
            _running.Add(run.Id, Context.Watch(job));
            Sender.Tell(new JobAccepted(job));
        });
        Receive<JobEnds>(ends => _running.Remove(ends.JobId));
        Receive<Terminated>(gone =>
        {
            foreach (var (id, _) in _running.Where(pair => pair.Value.Equals(gone.ActorRef)).ToList())
            {
                _running.Remove(id);
            }
        });
        Receive<GenerationBegins>(begins => generations.OnBegun(begins.JobId, begins.Generation));
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(IActorRef directory, JobKeeper keeper)
    {
        var generations = new GenerationNumbers();
        return Akka.Actor.Props.Create(() => new CoordinatorActor(directory, keeper, generations));
    }

    /// <summary>How to make the actor's supervisor, which starts it anew, ever more slowly, whatever ended it.</summary>
    public static Props Supervised(IActorRef directory, JobKeeper keeper) => BackoffSupervisor.Props(
        Backoff.OnStop(Props(directory, keeper), Name, _restartAfterLeast, _restartAfterMost, randomFactor: 0.2, maxNrOfRetries: -1));

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);
}
