using Akka.Actor;

namespace DistributedBackprop.Simulation;

/// <summary>Something that happens at a virtual time.</summary>
/// <param name="node">The node it dies with; null for the simulation itself.</param>
/// <param name="action">What happens.</param>
/// <param name="interval">The time between repetitions; null for once.</param>
/// <param name="cancelable">Cancels it, or null.</param>
internal sealed class SimulatedTimer(SimulatedNode? node, Action action, TimeSpan? interval, ICancelable? cancelable) : IDisposable
{
    private bool _stopped;

    /// <summary>The node it dies with; null for the simulation itself.</summary>
    public SimulatedNode? Node => node;

    /// <summary>What happens.</summary>
    public Action Action => action;

    /// <summary>The time between repetitions; null for once.</summary>
    public TimeSpan? Interval => interval;

    /// <summary>Whether it will still fire: neither stopped nor cancelled, and its node keeps time.</summary>
    public bool IsLive => !_stopped && cancelable is not { IsCancellationRequested: true } && node is not { KeepsTime: false };

    /// <summary>Stops it.</summary>
    public void Dispose() => _stopped = true;
}
