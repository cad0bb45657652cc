using System.Text;

namespace DistributedBackprop.Simulation;

/// <summary>What a simulation may be told, apart from its seed.</summary>
public sealed record SimulationOptions
{
    /// <summary>
    /// Ids of further dispatchers (HOCON paths such as <c>backprop.lane-0</c>) that every node maps to the loop. A dispatcher
    /// that the configuration of a node defines is found and mapped without being named here. Default: none.
    /// </summary>
    public IReadOnlyList<string> Dispatchers { get; init; } = [];

    /// <summary>The virtual date and time at which the simulation begins. Default: 2000-01-01 00:00 UTC.</summary>
    public DateTimeOffset Start { get; init; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The shortest virtual time one run of a mailbox takes, at least 0. Default: 1 µs.</summary>
    public TimeSpan ShortestRun { get; init; } = TimeSpan.FromMicroseconds(1);

    /// <summary>The longest virtual time one run of a mailbox takes, at least <see cref="ShortestRun"/>. Default: 20 µs.</summary>
    public TimeSpan LongestRun { get; init; } = TimeSpan.FromMicroseconds(20);

    /// <summary>How many steps (runs and timers) the loop takes in its life before it gives up. Default: 5,000,000.</summary>
    public long MaxSteps { get; init; } = 5_000_000;

    /// <summary>How much virtual time may pass in the life of the loop before it gives up. Default: 366 days.</summary>
    public TimeSpan MaxVirtualTime { get; init; } = TimeSpan.FromDays(366);

    /// <summary>
    /// Writes what of a message enters the trace besides its type; null for nothing. It must not depend on the process
    /// (hash codes, wall clock). Default: <see cref="MessageContent.Write"/>.
    /// </summary>
    public Action<object, StringBuilder>? Content { get; init; } = MessageContent.Write;

    /// <summary>
    /// Called with every line of the trace, as text: run one seed twice with it and compare, to find where two traces part.
    /// Slow. Default: null.
    /// </summary>
    public Action<string>? OnTrace { get; init; }
}
