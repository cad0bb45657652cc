using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// Of all that a coordinator beside its children could log, what says that a process was starved of the processor: its
/// heartbeats were late, or one did not answer any more. The rest of its warnings comes of children that come and go.
/// </summary>
/// <param name="tell">Is told each line; from any thread.</param>
internal sealed class StarvationLog(Action<string> tell) : ILoggerProvider, ILogger
{
    private static readonly string[] _signs = ["heartbeat was delayed", "unreachable"];

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        if (IsEnabled(logLevel)
            && formatter(state, exception) is var line
            && _signs.Any(sign => line.Contains(sign, StringComparison.OrdinalIgnoreCase)))
        {
            tell($"coordinator: {line}");
        }
    }

    public void Dispose()
    {
    }
}
