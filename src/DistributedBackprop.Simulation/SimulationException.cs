namespace DistributedBackprop.Simulation;

/// <summary>
/// The simulation cannot go on: a bound was passed, a condition can no longer come true, or something ran outside the loop.
/// The message says when (virtual time), and what was still pending.
/// </summary>
public sealed class SimulationException : Exception
{
    /// <summary>Says what went wrong.</summary>
    public SimulationException(string message)
        : base(message)
    {
    }

    /// <summary>Says what went wrong, and what caused it.</summary>
    public SimulationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>An unnamed failure.</summary>
    public SimulationException()
    {
    }
}
