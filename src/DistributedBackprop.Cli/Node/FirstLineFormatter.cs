using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace DistributedBackprop.Cli.Node;

/// <summary>
/// Writes of each message its level and its first line. What follows there is where it happened in the program, which is
/// nothing for people who only lost a node.
/// </summary>
internal sealed class FirstLineFormatter() : ConsoleFormatter(FormatterName)
{
    /// <summary>The formatter's name.</summary>
    public const string FormatterName = "firstLine";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var end = message.AsSpan().IndexOfAny('\r', '\n');
        textWriter.WriteLine($"{Word(logEntry.LogLevel)}: {(end < 0 ? message : message[..end])}");
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Critical => "critical",
        LogLevel.Error => "error",
        LogLevel.Warning => "warning",
        _ => "info",
    };
}
