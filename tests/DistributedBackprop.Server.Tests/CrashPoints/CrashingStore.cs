using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;

namespace DistributedBackprop.Server.Tests.CrashPoints;

/// <summary>Stands before a store of checkpoints, and dies as planned before or after each write and removal.</summary>
internal sealed class CrashingStore : ReceiveActor
{
    public CrashingStore(IActorRef store, CrashPlan plan)
    {
        Receive<IStoreRequest>(request =>
        {
            if (request is WriteState or KeepStates or RemoveStates && !plan.Passes())
            {
                GiveUp(request);
                return;
            }

            Context.ActorOf(Props.Create(() => new Forwarding(store, request, Sender, plan)));
        });
    }

    private static void GiveUp(IStoreRequest request)
    {
        foreach (var range in (request as WriteState)?.Ranges ?? [])
        {
            range.Value.Dispose();
        }
    }

    private sealed class Forwarding : ReceiveActor
    {
        public Forwarding(IActorRef store, IStoreRequest request, IActorRef asker, CrashPlan plan)
        {
            store.Tell(request);
            ReceiveAny(answer =>
            {
                if (answer is not (StateWritten or StatesKept or StatesRemoved) || plan.Passes())
                {
                    asker.Tell(answer, Context.Parent);
                }

                Context.Stop(Self);
            });
        }
    }
}
