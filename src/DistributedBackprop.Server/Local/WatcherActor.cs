using System.Threading.Channels;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Local;

/// <summary>
/// Supervises a job and hands its events to the one who waits outside the actors. What waits is bounded by the job, which
/// runs only so far ahead of the answers. A job that fails itself is not started anew: that is told as its end.
/// </summary>
internal sealed class WatcherActor : ReceiveActor
{
    private readonly JobRun _run;
    private readonly ChannelWriter<object> _events;

    public WatcherActor(JobRun run, IActorRef directory, JobKeeper keeper, ChannelWriter<object> events)
    {
        _run = run;
        _events = events;
        var job = Context.ActorOf(JobActor.Props(run, directory, keeper, Self), "job");
        Receive<JobEvent>(happened => events.TryWrite(happened));
        Receive<JobOver>(End);
        Receive<CancelJob>(job.Forward);
        Receive<Watched>(job.Forward);
    }

    public static Props Props(JobRun run, IActorRef directory, JobKeeper keeper, ChannelWriter<object> events) =>
        Akka.Actor.Props.Create(() => new WatcherActor(run, directory, keeper, events));

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(exception =>
    {
        End(new JobOver(
            new TrainingFailed(_run.Id, 0, null, $"the job itself failed: {exception.GetType().Name}: {exception.Message}"),
            [],
            []));
        return Directive.Stop;
    });

    private void End(JobOver over)
    {
        _events.TryWrite(over);
        _events.TryComplete();
    }
}
