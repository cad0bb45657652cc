using DistributedBackprop.Server.Cluster;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Server.Tests.Cluster;

/// <summary>A coordinator beside its children says when it is starved, and is quiet about what comes of their ends.</summary>
public sealed class StarvationLogTests
{
    [Fact]
    public void What_says_that_a_process_was_starved_is_told_and_nothing_else()
    {
        var told = new List<string>();
        using var log = new StarvationLog(told.Add);
        var logger = log.CreateLogger("any");
        Write(LogLevel.Warning, "Scheduled sending of heartbeat was delayed. Previous heartbeat was sent [3000] ms ago");
        Write(LogLevel.Warning, "Marking node(s) as UNREACHABLE [node-1]");
        Write(LogLevel.Warning, "Association with remote system has failed");
        Write(LogLevel.Information, "Marking node(s) as REACHABLE, not unreachable");
        told.ShouldBe([
            "coordinator: Scheduled sending of heartbeat was delayed. Previous heartbeat was sent [3000] ms ago",
            "coordinator: Marking node(s) as UNREACHABLE [node-1]"]);

        void Write(LogLevel level, string line) => logger.Log(level, default, line, null, (text, _) => text);
    }
}
