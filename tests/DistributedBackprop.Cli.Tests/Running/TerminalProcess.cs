using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace DistributedBackprop.Cli.Tests.Running;

/// <summary>
/// The built program in a terminal of its own, which util-linux's <c>script</c> makes: what is typed goes to it, what it
/// shows comes back. Tests skip, visibly, where there is no such program.
/// </summary>
internal sealed partial class TerminalProcess : IDisposable
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly StringBuilder _shown = new();
    private readonly CancellationTokenSource _overdue = new(_timeout);

    private TerminalProcess(ProcessStartInfo start) => _process = Process.Start(start)!;

    /// <summary>Starts the program.</summary>
    /// <param name="folder">The working folder.</param>
    /// <param name="arguments">The command line.</param>
    public static TerminalProcess Start(string folder, params IEnumerable<string> arguments)
    {
        Skip.If(!File.Exists("/usr/bin/script"), "There is no program 'script' (of util-linux), which makes terminals.");

        // The shell outlives what ends the program, to say how it has left the terminal. Where tests run in the background
        // of a shell they ignore SIGINT, and their children with them: env undoes it.
        var program = string.Join(' ', arguments.Prepend(BackpropProcess.Program).Select(word => $"'{word}'"));
        var command = $"stty cols 100 rows 40; trap : INT; env --default-signal=INT dotnet {program}; code=$?; stty; exit $code";
        var start = new ProcessStartInfo("/usr/bin/script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        start.Environment["TERM"] = "xterm";
        start.Environment["SHELL"] = "/bin/sh";
        return new TerminalProcess(start);
    }

    /// <summary>Types something.</summary>
    public async Task TypeAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Reads until something is shown. Returns all that was shown since the last time, without colours.</summary>
    public async Task<string> UntilShownAsync(string text)
    {
        var buffer = new char[4096];
        while (true)
        {
            var shown = Plain(_shown.ToString());
            if (shown.Contains(text, StringComparison.Ordinal))
            {
                _shown.Clear();
                return shown;
            }

            var read = await _process.StandardOutput.ReadAsync(buffer, _overdue.Token);
            if (read == 0)
            {
                throw new InvalidOperationException($"The program ended before it showed \"{text}\". It showed:\n{shown}");
            }

            _shown.Append(buffer, 0, read);
        }
    }

    /// <summary>Waits for the end. Returns the program's exit code and all that was shown since the last time.</summary>
    public async Task<(int ExitCode, string Shown)> EndAsync()
    {
        _shown.Append(await _process.StandardOutput.ReadToEndAsync(_overdue.Token));
        await _process.WaitForExitAsync(_overdue.Token);
        return (_process.ExitCode, Plain(_shown.ToString()));
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

    private static string Plain(string shown) => ControlSequence().Replace(shown, "").ReplaceLineEndings("\n");

    // ECMA-48, 5.4: what sets colours, clears, and moves about; and the switch to a keypad's other mode.
    [GeneratedRegex(@"\x1b(\[[0-?]*[ -/]*[@-~]|[=>])")]
    private static partial Regex ControlSequence();
}
