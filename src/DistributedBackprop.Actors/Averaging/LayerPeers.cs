using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// One layer's side of the averaging with the same layer in the other replicas. The layer tells it that a step's gradient
/// is complete and hands it the peers' messages; it says when the layer may go on, and with which parameters.
/// </summary>
/// <param name="assignment">Which layer of which replica.</param>
/// <param name="generation">The placement it belongs to.</param>
internal abstract class LayerPeers(LayerAssignment assignment, long generation) : IDisposable
{
    private IActorRef _self = ActorRefs.Nobody;

    /// <summary>Whether an update or a round is under way: the layer must not begin another step.</summary>
    public bool IsBusy { get; protected set; }

    /// <summary>The parameters to train with; borrowed.</summary>
    public abstract Parameters Parameters { get; }

    /// <summary>The parameters to evaluate and export: those of the newest round; borrowed.</summary>
    public abstract Parameters RoundParameters { get; }

    /// <summary>Which layer of which replica.</summary>
    protected LayerAssignment Assignment { get; } = assignment;

    /// <summary>The placement it belongs to.</summary>
    protected long Generation { get; } = generation;

    /// <summary>The same layer in every replica, in their order.</summary>
    protected ImmutableArray<IActorRef> Peers { get; private set; } = [];

    /// <summary>The first replica owns what all share, and sends shares of it along.</summary>
    protected bool IsFirst => Assignment.Replica == 0;

    /// <summary>Elements of the layer's parameters.</summary>
    protected int Length => Assignment.Node.Layer.Parameters.Length;

    /// <summary>The kind of averaging that a job names.</summary>
    public static LayerPeers Of(AveragingChoice choice, LayerAssignment assignment, long generation) => choice switch
    {
        GradientAveraging => new GradientPeers(assignment, generation),
        ParameterAveraging parameters => new ParameterPeers(parameters, assignment, generation),
        _ => throw new ArgumentOutOfRangeException(nameof(choice), choice, "Unknown kind of averaging."),
    };

    /// <summary>Takes the parameters to begin with.</summary>
    public abstract void Restore(Parameters parameters);

    /// <summary>Learns who the peers are.</summary>
    public virtual void Connect(ImmutableArray<IActorRef> peers, IActorRef self)
    {
        Peers = peers;
        _self = self;
    }

    /// <summary>A share of the newest round's parameters for somebody who keeps it: the next round leaves it as it is.</summary>
    public abstract Parameters Snapshot();

    /// <summary>The layer's own gradient of a step is complete.</summary>
    /// <param name="step">Which step.</param>
    /// <param name="gradient">Borrowed: it may be written again once the peers are no longer busy.</param>
    /// <param name="examples">Examples of the replica's slice of the step.</param>
    public abstract void Begin(long step, Parameters gradient, int examples);

    /// <summary>The job ends here: a round that is open is closed.</summary>
    /// <param name="step">The last step.</param>
    public abstract void CloseRound(long step);

    /// <summary>A peer is ready. Takes the message's shares.</summary>
    public abstract void OnReady(IPeerReady ready);

    /// <summary>A peer's part is done.</summary>
    public abstract void OnPartUpdated(PartUpdated updated);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Tells all peers but this one.</summary>
    protected void TellOthers(Func<object> message)
    {
        foreach (var peer in Peers)
        {
            if (!peer.Equals(_self))
            {
                peer.Tell(message());
            }
        }
    }
}
