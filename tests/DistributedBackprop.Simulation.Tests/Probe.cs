using Akka.Actor;

namespace DistributedBackprop.Simulation.Tests;

/// <summary>An actor written as a few functions, for tests that need no more.</summary>
internal sealed class Probe : UntypedActor, IWithTimers
{
    private readonly Action<Probe, object> _onMessage;
    private readonly Action<Probe>? _onStart;
    private readonly Action<Probe>? _onStop;
    private readonly SupervisorStrategy? _strategy;

    public Probe(Action<Probe, object> onMessage, Action<Probe>? onStart, Action<Probe>? onStop, SupervisorStrategy? strategy)
    {
        _onMessage = onMessage;
        _onStart = onStart;
        _onStop = onStop;
        _strategy = strategy;
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public IUntypedActorContext Its => Context;

    public IActorRef From => Sender;

    public IActorRef Own => Self;

    public static Props Of(
        Action<Probe, object> onMessage,
        Action<Probe>? onStart = null,
        Action<Probe>? onStop = null,
        SupervisorStrategy? strategy = null) => Props.Create(() => new Probe(onMessage, onStart, onStop, strategy));

    protected override void OnReceive(object message) => _onMessage(this, message);

    protected override void PreStart() => _onStart?.Invoke(this);

    protected override void PostStop() => _onStop?.Invoke(this);

    protected override SupervisorStrategy SupervisorStrategy() => _strategy ?? base.SupervisorStrategy();
}
