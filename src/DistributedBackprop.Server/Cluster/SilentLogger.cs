using Akka.Event;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// Akka's logger of before its start and after its end, which would write to standard output: that is for results.
/// </summary>
internal sealed class SilentLogger : MinimalLogger
{
    protected override void Log(object message)
    {
    }
}
