using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;

namespace DistributedBackprop.Cli.Tests.Running;

/// <summary>Processes that a test did not start itself, by their ids.</summary>
internal static class OtherProcess
{
    /// <summary>Whether it runs. One that has ended and that nobody has waited for yet (a zombie) is as gone as it can be.</summary>
    public static bool IsAlive(int id) => Stat(id) is { } stat && stat[0] is not ("Z" or "X");

    /// <summary>The children of a process that run, in the order of their ids.</summary>
    public static ImmutableArray<int> ChildrenOf(int parent) =>
    [
        .. from folder in Directory.EnumerateDirectories("/proc")
           let id = int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0
           where id > 0 && Stat(id) is { } stat && stat[0] is not ("Z" or "X") && stat[1] == Text(parent)
           orderby id
           select id,
    ];

    /// <summary>Sends a signal: INT, TERM, KILL.</summary>
    public static void Signal(string name, int id)
    {
        using var kill = Process.Start("kill", [$"-{name}", Text(id)]);
        kill.WaitForExit();
    }

    // What follows the name of the program, which may hold anything: the state and the parent come first.
    private static string[]? Stat(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/stat").Split(") ")[^1].Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
