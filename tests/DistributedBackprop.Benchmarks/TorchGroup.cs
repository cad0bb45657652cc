using System.Globalization;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// Some processes of one script that find each other with gloo, each with one thread for computing. All are asked the
/// same, and all answer.
/// </summary>
internal sealed class TorchGroup : IDisposable
{
    private readonly List<TorchProcess> _processes = [];
    private readonly string _meeting = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    private TorchGroup()
    {
    }

    /// <summary>What the script says it is.</summary>
    public string Description { get; private set; } = "";

    /// <summary>How many there are.</summary>
    public int Count => _processes.Count;

    /// <summary>Starts them.</summary>
    /// <param name="script">The script, whose first arguments are threads, rank, processes, core and meeting.</param>
    /// <param name="processes">How many, ≥ 1.</param>
    /// <param name="isPinned">Whether each is held to one core, with gloo's threads, as far as there are cores.</param>
    /// <param name="arguments">The script's other arguments.</param>
    /// <returns>Null where there is no Python with PyTorch.</returns>
    public static async Task<TorchGroup?> StartAsync(string script, int processes, bool isPinned, params string[] arguments)
    {
        if (!TorchProcess.IsPossible)
        {
            return null;
        }

        var group = new TorchGroup();
        for (var rank = 0; rank < processes; rank++)
        {
            var core = isPinned ? rank % Machine.Cores : -1;
            string[] all =
            [
                .. new[] { rank, processes, core }.Select(number => number.ToString(CultureInfo.InvariantCulture)),
                group._meeting,
                .. arguments,
            ];
            group._processes.Add(TorchProcess.Start(script, threads: 1, all));
        }

        var descriptions = await group.ReadAsync();
        group.Description = descriptions[0];
        if (!descriptions.Contains("missing"))
        {
            return group;
        }

        group.Dispose();
        return null;
    }

    /// <summary>Asks all of them.</summary>
    /// <returns>Their answers.</returns>
    /// <exception cref="InvalidOperationException">One has ended.</exception>
    public Task<string[]> AskAsync(string line)
    {
        _processes.ForEach(process => process.Write(line));
        return ReadAsync();
    }

    /// <summary>Ends them.</summary>
    public void Dispose()
    {
        _processes.ForEach(process => process.Dispose());
        File.Delete(_meeting);
    }

    private async Task<string[]> ReadAsync()
    {
        var answers = await Task.WhenAll(_processes.Select(process => process.ReadAsync()));
        return Array.ConvertAll(answers, answer => answer ?? throw new InvalidOperationException("PyTorch's process has ended."));
    }
}
