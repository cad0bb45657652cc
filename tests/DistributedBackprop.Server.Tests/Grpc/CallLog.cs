using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Server.Tests.Grpc;

/// <summary>Hears of the calls of one node: when one has come, and when the node has done with it.</summary>
internal sealed class CallLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _seen = new();

    /// <summary>Completes when a call has come to the node.</summary>
    public Task BegunAsync(string method) => Seen($"starting/{method}").Task;

    /// <summary>Completes when the node has done with a call.</summary>
    public Task EndedAsync(string method) => Seen($"finished/{method}").Task;

    public void AddTo(ILoggingBuilder logging) => logging
        .SetMinimumLevel(LogLevel.Warning)
        .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Information)
        .AddProvider(this);

    ILogger ILoggerProvider.CreateLogger(string categoryName) => this;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var said = formatter(state, exception);
        foreach (var word in new[] { "starting", "finished" }.Where(word => said.StartsWith($"Request {word}", StringComparison.Ordinal)))
        {
            var path = said.Split(' ').First(part => part.Contains("/backprop.v1.", StringComparison.Ordinal));
            Seen($"{word}/{path.Split('/')[^1]}").TrySetResult();
        }
    }

    void IDisposable.Dispose()
    {
    }

    private TaskCompletionSource Seen(string what) =>
        _seen.GetOrAdd(what, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
