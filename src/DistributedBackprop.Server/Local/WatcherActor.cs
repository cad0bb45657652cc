using System.Threading.Channels;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;

namespace DistributedBackprop.Server.Local;

/// <summary>
/// Hands a job's events to the one who waits outside the actors. What waits is bounded by the job, which runs only so
/// far ahead of the answers.
/// </summary>
internal sealed class WatcherActor : ReceiveActor
{
    public WatcherActor(ChannelWriter<object> events)
    {
        Receive<JobEvent>(happened => events.TryWrite(happened));
        Receive<JobOver>(over =>
        {
            events.TryWrite(over);
            events.TryComplete();
        });
    }

    public static Props Props(ChannelWriter<object> events) => Akka.Actor.Props.Create(() => new WatcherActor(events));
}
