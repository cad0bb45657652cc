using Akka.Actor;

namespace DistributedBackprop.Actors.Tests.Pipeline;

/// <summary>A clock that a test sets.</summary>
internal sealed class SetClock : ITimeProvider
{
    public TimeSpan HighResMonotonicClock { get; set; }

    public TimeSpan MonotonicClock => HighResMonotonicClock;

    public DateTimeOffset Now => DateTimeOffset.UnixEpoch + HighResMonotonicClock;
}
