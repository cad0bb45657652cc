using Akka.Actor;
using DistributedBackprop.Actors.Jobs.Requests;

namespace DistributedBackprop.Simulation.Services;

/// <summary>Asks a coordinator once, and tells the client what it is answered, if it is.</summary>
internal sealed class ClientRequest : ReceiveActor
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    public ClientRequest(IActorRef coordinator, IJobRequest request, Action<object> answered)
    {
        ReceiveAny(message =>
        {
            if (message is not ReceiveTimeout)
            {
                answered(message);
            }

            Context.Stop(Self);
        });
        Context.SetReceiveTimeout(_patience);
        coordinator.Tell(request, Self);
    }
}
