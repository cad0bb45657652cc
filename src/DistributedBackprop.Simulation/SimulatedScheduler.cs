using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace DistributedBackprop.Simulation;

/// <summary>The scheduler of a simulated node: its timers are on the heap of the loop, its clock is virtual.</summary>
internal sealed class SimulatedScheduler : SchedulerBase, IDisposable
{
    private readonly SimulatedNode _node;

    /// <summary>Called by Akka, while the node is created.</summary>
    public SimulatedScheduler(Config config, ILoggingAdapter log)
        : base(config, log) => _node = SimulatedNode.InCreation;

    /// <inheritdoc/>
    public override TimeSpan MonotonicClock => _node.Loop.Now;

    /// <inheritdoc/>
    public override TimeSpan HighResMonotonicClock => _node.Loop.Now;

    /// <inheritdoc/>
    protected override DateTimeOffset TimeNow => _node.Loop.UtcNow;

    /// <summary>The node that <paramref name="scheduler"/> belongs to: how Akka's parts find their simulation.</summary>
    /// <exception cref="SimulationException">The scheduler is not of a simulated node.</exception>
    public static SimulatedNode NodeOf(IScheduler scheduler) => scheduler is SimulatedScheduler simulated
        ? simulated._node
        : throw new SimulationException(
            $"akka.scheduler.implementation is {scheduler.GetType()}: create nodes by {nameof(SimulationLoop)}.{nameof(SimulationLoop.CreateNode)}.");

    /// <summary>Called by Akka at the polite end of the system: timers that remain never fire.</summary>
    public void Dispose() => _node.StopKeepingTime();

    /// <inheritdoc/>
    protected override void InternalScheduleTellOnce(
        TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Set(delay, null, () => receiver.Tell(message, sender), cancelable);

    /// <inheritdoc/>
    protected override void InternalScheduleTellRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Set(initialDelay, interval, () => receiver.Tell(message, sender), cancelable);

    /// <inheritdoc/>
    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        Set(delay, null, action, cancelable);

    /// <inheritdoc/>
    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) =>
        Set(delay, null, action.Run, cancelable);

    /// <inheritdoc/>
    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable) =>
        Set(initialDelay, interval, action, cancelable);

    /// <inheritdoc/>
    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable) =>
        Set(initialDelay, interval, action.Run, cancelable);

    private void Set(TimeSpan delay, TimeSpan? interval, Action action, ICancelable? cancelable)
    {
        SimulatedTimer? timer = null;
        timer = new SimulatedTimer(_node, Guarded, interval, cancelable);
        _node.Loop.Set(timer, delay);

        // As Akka's own scheduler does: an action that throws is reported and not repeated.
        void Guarded()
        {
            try
            {
                action();
            }
            catch (Exception cause) when (cause is not SimulationException)
            {
                Log.Error(cause, "A scheduled action failed and is not repeated");
                timer!.Dispose();
            }
        }
    }
}
