using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;

namespace DistributedBackprop.Server.Cluster;

/// <summary>How a child ended.</summary>
/// <param name="Node">Its name.</param>
/// <param name="ProcessId">The process that it was.</param>
/// <param name="ExitCode">Its exit code; 128 and the signal's number if a signal ended it.</param>
public sealed record ChildExit(string Node, int ProcessId, int ExitCode);

/// <summary>Nodes as child processes of this one: they end with it, however it ends.</summary>
public sealed class ChildNodes : IAsyncDisposable
{
    private readonly Action<string> _tell;
    private readonly Action<ChildExit> _ended;
    private readonly ChildProgram _program;
    private readonly Lock _lock = new();
    private readonly List<Process> _processes = [];
    private readonly List<Task> _ends = [];
    private volatile bool _isOver;

    private ChildNodes(ChildProgram program, Action<string> tell, Action<ChildExit> ended)
    {
        _program = program;
        _tell = tell;
        _ended = ended;
    }

    /// <summary>The processes, in the order of their starting.</summary>
    public ImmutableArray<int> ProcessIds
    {
        get
        {
            lock (_lock)
            {
                return [.. _processes.Select(process => process.Id)];
            }
        }
    }

    /// <summary>Starts the children.</summary>
    /// <param name="program">What is started.</param>
    /// <param name="nodes">Their settings.</param>
    /// <param name="tell">Is told each line of their standard error, with the node's name before it; from any thread.</param>
    /// <param name="ended">Is told of each child that ends by itself; from any thread.</param>
    public static ChildNodes Start(
        ChildProgram program, IEnumerable<NodeOptions> nodes, Action<string> tell, Action<ChildExit> ended)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(nodes);
        var children = new ChildNodes(program, tell, ended);
        try
        {
            foreach (var node in nodes)
            {
                children.Start(node);
            }
        }
        catch
        {
            children.KillAll();
            throw;
        }

        return children;
    }

    /// <summary>Starts a further child, for one that has ended; not once they are all to end.</summary>
    /// <param name="node">Its settings.</param>
    public void Start(NodeOptions node)
    {
        ArgumentNullException.ThrowIfNull(node);
        Process process;
        lock (_lock)
        {
            if (_isOver)
            {
                return;
            }

            process = Process.Start(new ProcessStartInfo(_program.File, [.. _program.Arguments, "node", "--child"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
                StandardErrorEncoding = Encoding.UTF8,
            })!;
            _processes.Add(process);
            _ends.Add(EndAsync(process, node.Name));
        }

        Furnish(process, node);
    }

    /// <summary>Kills a child, which is told as every end of a child.</summary>
    /// <param name="processId">Which; others are left alone.</param>
    public void Kill(int processId)
    {
        lock (_lock)
        {
            _processes.Find(process => process.Id == processId)?.Kill();
        }
    }

    /// <summary>Kills the children that are left, and waits until they are gone.</summary>
    public async ValueTask DisposeAsync()
    {
        KillAll();

        // None is started any more.
        await Task.WhenAll(_ends);
        foreach (var process in _processes)
        {
            process.Dispose();
        }
    }

    private void Furnish(Process process, NodeOptions node)
    {
        process.ErrorDataReceived += (_, line) =>
        {
            if (!string.IsNullOrEmpty(line.Data))
            {
                _tell($"{node.Name}: {line.Data}");
            }
        };
        process.BeginErrorReadLine();

        // What a child says there is for people who start one by hand; a full pipe would stop it.
        process.BeginOutputReadLine();
        try
        {
            // Not closed before the child is gone: its end tells the child that this process is.
            process.StandardInput.WriteLine(ChildSettings.Write(node));
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended already, which is told with its exit code.
        }
    }

    private async Task EndAsync(Process process, string node)
    {
        await process.WaitForExitAsync();
        if (!_isOver)
        {
            _ended(new ChildExit(node, process.Id, process.ExitCode));
        }
    }

    private void KillAll()
    {
        lock (_lock)
        {
            _isOver = true;
            foreach (var process in _processes)
            {
                process.Kill();
            }
        }
    }
}
