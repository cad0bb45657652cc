using Akka.Event;

namespace DistributedBackprop.Simulation;

/// <summary>A log event of a simulated node.</summary>
/// <param name="Time">The virtual time since the start of the simulation.</param>
/// <param name="Level">Its level; what is below the level of the node (warnings, unless configured) is not captured.</param>
/// <param name="Source">Who logged it.</param>
/// <param name="Text">The formatted message.</param>
/// <param name="Cause">The exception it is about, or null.</param>
public sealed record CapturedLog(TimeSpan Time, LogLevel Level, string Source, string Text, Exception? Cause);
