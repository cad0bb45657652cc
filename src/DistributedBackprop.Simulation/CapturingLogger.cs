using Akka.Event;

namespace DistributedBackprop.Simulation;

/// <summary>
/// Keeps the log events of a node. A minimal logger, because it is told directly: Akka's usual loggers are actors, and
/// starting them blocks the one thread there is.
/// </summary>
internal sealed class CapturingLogger : MinimalLogger
{
    private readonly SimulatedNode _node = SimulatedNode.InCreation;

    /// <inheritdoc/>
    protected override void Log(object message)
    {
        if (message is LogEvent log)
        {
            _node.Capture(new CapturedLog(_node.Loop.Now, log.LogLevel(), log.LogSource, log.Message.ToString() ?? "", log.Cause));
        }
    }
}
