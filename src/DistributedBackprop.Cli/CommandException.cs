namespace DistributedBackprop.Cli;

/// <summary>The command cannot be carried out; the message is for people, and says what, where and what is allowed.</summary>
/// <param name="exitCode">One of <see cref="ExitCode"/>.</param>
/// <param name="messages">One line each.</param>
internal sealed class CommandException(int exitCode, params IReadOnlyList<string> messages)
    : Exception(string.Join(Environment.NewLine, messages))
{
    public int ExitCode { get; } = exitCode;
}
