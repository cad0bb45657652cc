using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Node;

/// <summary>Reads settings of nodes; what is wrong with them ends the command with words and a code.</summary>
internal static class NodeSettings
{
    /// <param name="read">Reads them.</param>
    /// <exception cref="CommandException">They are not as they must be.</exception>
    public static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (NodeOptionsException e)
        {
            throw new CommandException(
                ExitCode.Invalid, [.. e.Errors.Select(error => $"backprop: {error}"), "Try 'backprop node --help'."]);
        }
        catch (InvalidDataException e)
        {
            throw new CommandException(ExitCode.Invalid, $"backprop: {Innermost(e).Message}");
        }
    }

    /// <summary>What was first wrong.</summary>
    public static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
