using Akka.Actor;
using Akka.Persistence;

namespace DistributedBackprop.Server.Tests.CrashPoints;

/// <summary>
/// Stands before the real store of snapshots, and dies as planned before or after one is kept, and before those that it replaces
/// are removed. Made by Akka.
/// </summary>
internal sealed class CrashingSummaries : ReceiveActor
{
    private readonly Dictionary<string, IActorRef> _askers = [];

    public CrashingSummaries()
    {
        var plan = CrashPlan.Of(Context.System.Name);
        var snapshots = Persistence.Instance.Apply(Context.System).SnapshotStoreFor("akka.persistence.snapshot-store.sql");
        ReceiveAny(message =>
        {
            switch (message)
            {
                case var _ when plan.Crashed.IsCompleted:
                    break;
                case SaveSnapshot save:
                    if (plan.Passes())
                    {
                        _askers[save.Metadata.PersistenceId] = Sender;
                        snapshots.Tell(save);
                    }

                    break;
                case SaveSnapshotSuccess saved:
                    if (plan.Passes())
                    {
                        _askers[saved.Metadata.PersistenceId].Tell(message, Sender);
                    }

                    break;
                case SaveSnapshotFailure failed:
                    _askers[failed.Metadata.PersistenceId].Tell(message, Sender);
                    break;
                case DeleteSnapshots:
                    if (plan.Passes())
                    {
                        snapshots.Forward(message);
                    }

                    break;
                default:
                    snapshots.Forward(message);
                    break;
            }
        });
    }
}
