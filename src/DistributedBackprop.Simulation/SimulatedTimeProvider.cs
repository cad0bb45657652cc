namespace DistributedBackprop.Simulation;

/// <summary>The virtual clock of a node for code that takes a <see cref="TimeProvider"/>; its timers die with the node.</summary>
internal sealed class SimulatedTimeProvider(SimulatedNode node) : TimeProvider
{
    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => node.Loop.UtcNow;

    /// <inheritdoc/>
    public override long GetTimestamp() => node.Loop.Now.Ticks;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new Timer(node, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(SimulatedNode node, Action action) : ITimer
    {
        private SimulatedTimer? _set;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Dispose();
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                TimeSpan? interval = period == Timeout.InfiniteTimeSpan || period == TimeSpan.Zero ? null : period;
                _set = new SimulatedTimer(node, action, interval, null);
                node.Loop.Set(_set, dueTime);
            }

            return true;
        }

        public void Dispose() => _set?.Dispose();

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
