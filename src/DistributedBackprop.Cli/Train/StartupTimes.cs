using System.Diagnostics;

namespace DistributedBackprop.Cli.Train;

/// <summary>Where the time goes from the start of the process to the first step.</summary>
internal sealed class StartupTimes
{
    private readonly List<(string What, TimeSpan At)> _marks = [];
    private readonly DateTime _processStart = Process.GetCurrentProcess().StartTime;

    /// <summary>Notes that something is done.</summary>
    public void Mark(string what) => _marks.Add((what, DateTime.Now - _processStart));

    /// <summary>One line per mark: since the process began.</summary>
    public IEnumerable<string> Lines() => _marks.Select(mark => $"{mark.At.TotalMilliseconds,6:F0} ms  {mark.What}");
}
