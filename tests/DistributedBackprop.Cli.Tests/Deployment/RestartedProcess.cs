using System.Diagnostics;
using System.Globalization;
using System.Text;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>
/// A process that is started anew whenever it ends, as <c>restart: unless-stopped</c> says: at once, and after more and
/// more time where it ends again and again.
/// </summary>
internal sealed class RestartedProcess : IDisposable
{
    private const int Lines = 5;

    // As shells count: more than this by the number of the signal.
    private const int Signalled = 128;

    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(100);

    // Who has run for so long ended for another reason than the last time.
    private static readonly TimeSpan _enough = TimeSpan.FromSeconds(10);

    private readonly Func<BackpropProcess> _start;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Finished> _ends = [];
    private readonly Task _kept;
    private BackpropProcess _process;
    private int _killed;

    public RestartedProcess(Func<BackpropProcess> start)
    {
        _start = start;
        _process = start();
        _kept = Task.Run(KeepAsync);
    }

    /// <summary>How often it ended though nobody had killed it.</summary>
    public int UnaskedEnds
    {
        get
        {
            lock (_lock)
            {
                return _ends.Count - _killed;
            }
        }
    }

    /// <summary>How often it was ended by a signal, as by a failure that nobody caught, which nobody had sent.</summary>
    public int Crashes
    {
        get
        {
            lock (_lock)
            {
                return _ends.Count(end => end.ExitCode > Signalled) - _killed;
            }
        }
    }

    /// <summary>What it said last before each of its ends, and how it ended.</summary>
    public string Ends
    {
        get
        {
            lock (_lock)
            {
                var said = new StringBuilder();
                foreach (var end in _ends)
                {
                    said.AppendLine(CultureInfo.InvariantCulture, $"ended with {end.ExitCode}; it said last: {string.Join('\n', end.Errors.Split('\n').TakeLast(Lines))}");
                }

                return said.ToString();
            }
        }
    }

    /// <summary>Sends a signal to the process that runs now: KILL, STOP, CONT.</summary>
    public void Signal(string signal)
    {
        lock (_lock)
        {
            _killed += signal == "KILL" ? 1 : 0;
            _process.Signal(signal);
        }
    }

    /// <summary>Has the process end, for good.</summary>
    public async Task<Finished> StopAsync()
    {
        await _stop.CancelAsync();
        lock (_lock)
        {
            _process.Signal("TERM");
        }

        await _kept;
        lock (_lock)
        {
            return _ends[^1];
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        lock (_lock)
        {
            _process.Signal("KILL");
        }

        _kept.GetAwaiter().GetResult();
        _process.Dispose();
        _stop.Dispose();
    }

    private async Task KeepAsync()
    {
        var pause = _firstPause;
        while (true)
        {
            var ran = Stopwatch.StartNew();
            var ended = await _process.EndAsync(CancellationToken.None);
            lock (_lock)
            {
                _ends.Add(ended);
            }

            pause = ran.Elapsed > _enough ? _firstPause : pause;
            await Task.Delay(pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause *= 2;
            lock (_lock)
            {
                if (_stop.IsCancellationRequested)
                {
                    return;
                }

                _process.Dispose();
                _process = _start();
            }
        }
    }
}
