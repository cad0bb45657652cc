using System.Threading.Channels;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Running;

/// <summary>
/// Hands a job in and its events to the one who waits outside the actors. What waits is bounded by the job, which runs
/// only so far ahead of the answers.
/// </summary>
internal sealed class WatcherActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _acceptDeadline = TimeSpan.FromSeconds(30);

    private readonly JobRun _run;
    private readonly IActorRef _coordinator;
    private readonly ChannelWriter<object> _events;
    private IActorRef? _job;
    private object? _wish;
    private long _step;
    private bool _isOver;

    public WatcherActor(JobRun run, IActorRef coordinator, ChannelWriter<object> events)
    {
        _run = run;
        _coordinator = coordinator;
        _events = events;
        Receive<JobAccepted>(accepted =>
        {
            Timers.CancelAll();
            _job = Context.Watch(accepted.Job);
            if (_wish is not null)
            {
                _job.Tell(_wish);
            }
        });
        Receive<JobRejected>(rejected => Fail(rejected.Reason));
        Receive<TooLate>(_ => Fail("no coordinator took the job"));
        Receive<JobEvent>(happened =>
        {
            if (happened.Event is StepDone step)
            {
                _step = step.Step;
            }
            else
            {
                Publish(happened.Event);
            }

            events.TryWrite(happened);
        });
        Receive<JobOver>(End);
        Receive<Terminated>(_ => Fail("the job itself has stopped"));
        Receive<PauseJob>(Wish);
        Receive<CancelJob>(Wish);
        Receive<Watched>(watched => _job?.Tell(watched));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(JobRun run, IActorRef coordinator, ChannelWriter<object> events) =>
        Akka.Actor.Props.Create(() => new WatcherActor(run, coordinator, events));

    protected override void PreStart()
    {
        base.PreStart();
        Timers.StartSingleTimer(TooLate.Instance, TooLate.Instance, _acceptDeadline);
        _coordinator.Tell(new SubmitJob(_run, Self) { BeginsAnew = true });
    }

    // As the service's record of a job does: whoever measures hears the same of both.
    private void Publish(TrainingEvent happened) => Context.System.EventStream.Publish(new JobHappened(_run.Id, happened));

    private void Wish(object wish)
    {
        _wish = wish;
        _job?.Tell(wish);
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        // Whoever waits outside must not wait for ever.
        Fail("its process stops");
        base.PostStop();
    }

    private void Fail(string reason) => End(new JobOver(new TrainingFailed(_run.Id, _step, null, reason), [], []));

    private void End(JobOver over)
    {
        if (_isOver)
        {
            foreach (var layer in over.Parameters)
            {
                layer.Dispose();
            }

            over.GoesOnFrom?.Dispose();
            return;
        }

        _isOver = true;
        Publish(over.Event);
        Timers.CancelAll();
        _events.TryWrite(over);
        _events.TryComplete();
    }

    private sealed class TooLate : INoSerializationVerificationNeeded
    {
        public static TooLate Instance { get; } = new();
    }
}
