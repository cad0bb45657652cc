using Akka.Actor;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// Tells nodes that were silent when a job ended that it is over, until each has answered, or has surely been put down: one
/// that was only cut off would keep its layers for ever.
/// </summary>
internal sealed class FarewellActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _again = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(5);

    private readonly HashSet<IActorRef> _silent;
    private readonly NodesLeftBehind _left;

    /// <param name="left">Who is to be told what.</param>
    public FarewellActor(NodesLeftBehind left)
    {
        _left = left;
        _silent = [.. left.Agents];
        Receive<Again>(_ => Tell());
        Receive<GenerationReleased>(_ =>
        {
            _silent.Remove(Sender);
            if (_silent.Count == 0)
            {
                Context.Stop(Self);
            }
        });
        Receive<TooLong>(_ => Context.Stop(Self));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How to make the actor.</summary>
    public static Props Props(NodesLeftBehind left) => Akka.Actor.Props.Create(() => new FarewellActor(left));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        Tell();
        Timers.StartPeriodicTimer(Again.Instance, Again.Instance, _again);
        Timers.StartSingleTimer(TooLong.Instance, TooLong.Instance, _deadline);
    }

    private void Tell()
    {
        foreach (var agent in _left.Agents.Where(_silent.Contains))
        {
            agent.Tell(new ReleaseGeneration(_left.JobId, _left.Generation));
        }
    }

    private sealed class Again : INoSerializationVerificationNeeded
    {
        public static Again Instance { get; } = new();
    }

    private sealed class TooLong : INoSerializationVerificationNeeded
    {
        public static TooLong Instance { get; } = new();
    }
}
