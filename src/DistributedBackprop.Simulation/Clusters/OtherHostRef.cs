using Akka.Actor;
using Akka.Dispatch.SysMsg;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// Stands on one host for an actor on another: hands what it is told to the simulated network. Nobody watches an actor of
/// another host, so there are no system messages.
/// </summary>
internal sealed class OtherHostRef(SimulatedNode node, IActorRefProvider provider, ActorPath path, string text) : InternalActorRefBase
{
    public override ActorPath Path => path;

    public override IActorRefProvider Provider => provider;

    public override IInternalActorRef Parent => ActorRefs.Nobody;

    public override bool IsLocal => false;

    public override bool IsTerminated => false;

    /// <summary>The path as it goes over the wire.</summary>
    public string Text => text;

    public override IActorRef GetChild(IReadOnlyList<string> name) => ActorRefs.Nobody;

    public override void Resume(Exception? causedByFailure = null)
    {
    }

    public override void Start()
    {
    }

    public override void Stop()
    {
    }

    public override void Restart(Exception cause)
    {
    }

    public override void Suspend()
    {
    }

    public override void SendSystemMessage(ISystemMessage message)
    {
        if (message is Watch)
        {
            node.Network?.Refuse($"{node.Label} watches {text}: nothing may rest on the death watch of other hosts");
        }
    }

    protected override void TellInternal(object message, IActorRef sender) => node.Network!.Send(node, this, message, sender);
}
