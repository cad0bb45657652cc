using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace DistributedBackprop.Cli.Tests.Running;

/// <summary>The built program as a child process; one that does not end in time is killed, and its test fails.</summary>
internal sealed class BackpropProcess : IDisposable
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(300);

    private readonly Process _process;
    private readonly List<string> _errors = [];
    private readonly Channel<string> _errorLines = Channel.CreateUnbounded<string>();
    private readonly StringBuilder _output = new();
    private readonly CancellationTokenSource _overdue = new(_timeout);

    private BackpropProcess(ProcessStartInfo start)
    {
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
            {
                _errors.Add(line.Data);
                _errorLines.Writer.TryWrite(line.Data);
            }
            else
            {
                _errorLines.Writer.Complete();
            }
        };
        _process.BeginErrorReadLine();
    }

    /// <summary>The built program, for <c>dotnet</c>.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "backprop.dll");

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts the program.</summary>
    /// <param name="folder">The working folder.</param>
    /// <param name="environment">Variables besides those of the tests.</param>
    /// <param name="arguments">The command line.</param>
    public static BackpropProcess Start(
        string folder, IReadOnlyDictionary<string, string>? environment, params IEnumerable<string> arguments)
    {
        // A shell that puts tests into the background has them ignore SIGINT, and their children with them: env undoes it.
        string[] dotnet = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", "dotnet"] : ["dotnet"];
        return StartOther(folder, environment, [.. dotnet, Program, .. arguments]);
    }

    /// <summary>Starts some other command line, or the program in other surroundings.</summary>
    /// <param name="folder">The working folder.</param>
    /// <param name="environment">Variables besides those of the tests.</param>
    /// <param name="command">A program and its arguments.</param>
    public static BackpropProcess StartOther(
        string folder, IReadOnlyDictionary<string, string>? environment, params IReadOnlyList<string> command)
    {
        var start = In(folder, new ProcessStartInfo(command[0], command.Skip(1)));
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new BackpropProcess(start);
    }

    /// <summary>Runs the program to its end.</summary>
    public static async Task<Finished> RunAsync(
        string folder, IReadOnlyDictionary<string, string>? environment, params IEnumerable<string> arguments)
    {
        using var process = Start(folder, environment, arguments);
        return await process.EndAsync();
    }

    /// <summary>Runs the program through a shell, which can send its output elsewhere.</summary>
    /// <param name="folder">The working folder.</param>
    /// <param name="commandLine">What follows the program's name.</param>
    public static async Task<Finished> RunInShellAsync(string folder, string commandLine)
    {
        using var process = new BackpropProcess(In(folder, new ProcessStartInfo("sh", ["-c", $"exec dotnet '{Program}' {commandLine}"])));
        return await process.EndAsync();
    }

    /// <summary>Waits for a line of standard error; not to be mixed with much else there.</summary>
    public async Task UntilErrorsSayAsync(string text)
    {
        await foreach (var line in _errorLines.Reader.ReadAllAsync(_overdue.Token))
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return;
            }
        }

        throw new InvalidOperationException($"The program ended before it said \"{text}\". It said:\n{string.Join('\n', _errors)}");
    }

    /// <summary>Reads standard output until a line fits.</summary>
    public async Task<string> ReadUntilAsync(Func<string, bool> fits) => await FirstAsync(fits) ??
        throw new InvalidOperationException($"The program ended before it wrote such a line. It wrote:\n{_output}\n{string.Join('\n', _errors)}");

    /// <summary>Reads standard output until a line fits; false: it ended before.</summary>
    public async Task<bool> HasLineAsync(Func<string, bool> fits) => await FirstAsync(fits) is not null;

    /// <summary>Sends a signal: INT, TERM.</summary>
    public void Signal(string name) => OtherProcess.Signal(name, _process.Id);

    /// <summary>Waits for the end.</summary>
    public Task<Finished> EndAsync() => EndAsync(_overdue.Token);

    /// <summary>Waits for the end of a process that may run for longer than a test.</summary>
    public async Task<Finished> EndAsync(CancellationToken deadline)
    {
        _output.Append(await _process.StandardOutput.ReadToEndAsync(deadline));
        await _process.WaitForExitAsync(deadline);
        return new Finished(_process.ExitCode, _output.ToString(), string.Join('\n', _errors));
    }

    private async Task<string?> FirstAsync(Func<string, bool> fits)
    {
        while (await _process.StandardOutput.ReadLineAsync(_overdue.Token) is { } line)
        {
            _output.Append(line).Append('\n');
            if (fits(line))
            {
                return line;
            }
        }

        return null;
    }

    private static ProcessStartInfo In(string folder, ProcessStartInfo start)
    {
        start.WorkingDirectory = folder;

        // What a node leaves for its user's commands is no business of the user who runs the tests.
        start.Environment["XDG_CONFIG_HOME"] = Path.Combine(folder, "config");
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.StandardOutputEncoding = Encoding.UTF8;
        start.StandardErrorEncoding = Encoding.UTF8;
        return start;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        _overdue.Dispose();
    }
}
