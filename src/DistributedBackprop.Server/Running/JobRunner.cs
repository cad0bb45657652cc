using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Running;

/// <summary>Runs jobs for somebody outside the actors.</summary>
/// <param name="system">The actor system.</param>
/// <param name="coordinator">Takes jobs.</param>
internal sealed class JobRunner(ActorSystem system, IActorRef coordinator)
{
    // How many steps whoever watches may leave unanswered: see Watched.
    private const long MostUnanswered = 256;

    /// <summary>Whether a job that is ended can go on later: then it pauses instead of being cancelled.</summary>
    public bool Pauses { get; init; }

    /// <inheritdoc cref="ITrainer.RunAsync"/>
    /// <param name="run">The job.</param>
    /// <param name="observe">Is told every event but the last, in order.</param>
    /// <param name="cancellation">Ends the job as cancelled, or as paused where it can go on; a training step under way is finished first.</param>
    /// <returns>The last event, and the weights where the job completed; the caller owns it.</returns>
    public async Task<TrainingResult> RunAsync(JobRun run, Action<TrainingEvent> observe, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(observe);
        var answerEvery = Math.Clamp(run.StepsAhead / 2, 1, MostUnanswered);
        var events = Channel.CreateUnbounded<object>(new UnboundedChannelOptions { SingleReader = true });
        var watcher = system.ActorOf(WatcherActor.Props(run, coordinator, events.Writer));
        await using var registration = cancellation.Register(() => watcher.Tell(Pauses ? new PauseJob() : new CancelJob()));
        Exception? failure = null;
        await foreach (var message in events.Reader.ReadAllAsync(CancellationToken.None))
        {
            switch (message)
            {
                case JobEvent { Event: var happened } when failure is null:
                    failure = Observe(observe, happened);
                    if (failure is not null)
                    {
                        // Nobody watches any more: the job must not go on alone, nor keep its layers.
                        watcher.Tell(new CancelJob());
                    }
                    else if (happened is StepDone step && step.Step % answerEvery == 0)
                    {
                        watcher.Tell(new Watched(step.Step));
                    }

                    break;
                case JobOver over:
                    system.Stop(watcher);
                    var result = new TrainingResult(over.Event, run.Graph, over.Parameters, over.Generations, over.GoesOnFrom);
                    if (failure is not null)
                    {
                        result.Dispose();
                        ExceptionDispatchInfo.Throw(failure);
                    }

                    return result;
            }
        }

        throw new InvalidOperationException("The job's events ended before the job.");
    }

    private static Exception? Observe(Action<TrainingEvent> observe, TrainingEvent happened)
    {
        try
        {
            observe(happened);
            return null;
        }
#pragma warning disable CA1031 // It is thrown again once the job has ended.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e;
        }
    }
}
