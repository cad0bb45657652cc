using System.Globalization;
using Akka.Remote;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace DistributedBackprop.Cli.Node;

/// <summary>One node of a cluster, from its settings to its end.</summary>
internal static class NodeRun
{
    /// <summary>Runs a node that stands on its own.</summary>
    /// <param name="flags">What the command line says, by the names of the settings.</param>
    /// <param name="verbose">Whether to say more.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(IEnumerable<KeyValuePair<string, string?>> flags, bool verbose)
    {
        var options = NodeSettings.Read(() => NodeOptionsReader.Read(NodeOptionsReader.Configuration(".", flags), serves: true));
        return RunAsync(options, isChild: false, verbose);
    }

    /// <summary>Runs a node whose parent sends the settings through standard input, and with whom it ends.</summary>
    /// <returns>The exit code.</returns>
    public static Task<int> RunChildAsync()
    {
        var parent = new ParentPipe(Console.OpenStandardInput());
        var options = NodeSettings.Read(parent.ReadSettings);
        parent.EndWithParent();
        return RunAsync(options, isChild: true, verbose: false);
    }

    private static async Task<int> RunAsync(NodeOptions options, bool isChild, bool verbose)
    {
        using var signals = new NodeSignals(isChild);
        await using var node = await StartAsync(options, verbose);
        using var deadline = new CancellationTokenSource(options.JoinDeadline);
        var up = node.UpAsync(deadline.Token);
        var first = await Task.WhenAny(up, node.Ended, signals.Asked);
        if (first == up)
        {
            if (up.IsCanceled)
            {
                throw new CommandException(ExitCode.NoCluster, NoCluster(options));
            }

            await up;
            await Console.Out.WriteLineAsync($"{node} is up");
            first = await Task.WhenAny(node.Ended, signals.Asked);
        }

        if (first == node.Ended)
        {
            throw new CommandException(ExitCode.JobFailed, $"backprop: {await node.Ended}");
        }

        if (!await node.LeaveAsync())
        {
            await Console.Error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"backprop: the work of node '{options.Name}' was not handed over within {options.LeaveDeadline.TotalSeconds} s"));
        }

        return ExitCode.Done;
    }

    private static async Task<ClusterNode> StartAsync(NodeOptions options, bool verbose)
    {
        try
        {
            return await ClusterNode.StartAsync(options, logging => Log(logging, options.LogFormat, verbose));
        }
        catch (StorageException e)
        {
            throw new CommandException(ExitCode.JobFailed, $"backprop: {e.Message}");
        }
        catch (Exception e) when (e is IOException or RemoteTransportException or AggregateException)
        {
            throw new CommandException(
                ExitCode.JobFailed, $"backprop: node '{options.Name}' cannot listen at {options.Host}: {NodeSettings.Innermost(e).Message}");
        }
    }

    // Standard output is for results.
    private static void Log(ILoggingBuilder logging, LogFormat format, bool verbose)
    {
        logging.SetMinimumLevel(verbose ? LogLevel.Information : LogLevel.Warning);

        // What hinders the start is said once, by this command.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);

        // Each call and each probe would be a line.
        logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        logging.AddSimpleConsole(console => console.SingleLine = true);
        logging.AddJsonConsole(console =>
        {
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "O";
        });
        logging.AddConsoleFormatter<FirstLineFormatter, ConsoleFormatterOptions>();
        logging.AddConsole(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = (format, verbose) switch
            {
                (LogFormat.Json, _) => ConsoleFormatterNames.Json,
                (_, true) => ConsoleFormatterNames.Simple,
                _ => FirstLineFormatter.FormatterName,
            };
        });
    }

    private static string NoCluster(NodeOptions options) => string.Create(
        CultureInfo.InvariantCulture,
        $"backprop: no cluster took node '{options.Name}' within {options.JoinDeadline.TotalSeconds} s at {string.Join(", ", options.Seeds.Select(seed => $"{seed.Host}:{seed.Port}"))} (is a coordinator running there, with the same secret?)");
}
