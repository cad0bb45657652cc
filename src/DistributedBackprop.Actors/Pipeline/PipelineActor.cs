using Akka.Actor;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>
/// What the actors of a pipeline have in common: their life in one generation. Unconnected, connected, abandoned; a
/// message that does not belong is dropped, and its tensors with it.
/// </summary>
public abstract class PipelineActor : ReceiveActor
{
    /// <summary>Makes an actor that waits to be connected.</summary>
    /// <param name="generation">The placement it belongs to.</param>
    /// <param name="job">Who hears of failures.</param>
    protected PipelineActor(long generation, IActorRef job)
    {
        Generation = generation;
        Job = job;
    }

    /// <summary>The placement this actor belongs to.</summary>
    protected long Generation { get; }

    /// <summary>The job this actor works for.</summary>
    protected IActorRef Job { get; }

    /// <summary>What a failure of this actor is reported as.</summary>
    protected abstract string FailureName { get; }

    /// <summary>The step it works on, from 1.</summary>
    protected abstract long CurrentStep { get; }

    /// <summary>Takes the neighbours and the receivers of the working state.</summary>
    protected abstract void BecomeConnected(Connect links);

    /// <summary>The receivers of the state before that, for what is sent ahead of the links.</summary>
    protected virtual void BeforeConnected()
    {
    }

    /// <summary>Gives up every tensor held.</summary>
    protected abstract void ReleaseAll();

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();

        // Nobody sends tensors before all are connected. What comes anyway comes after a restart, which has lost the step.
        Become(Drop);
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        ReleaseAll();
        base.PostStop();
    }

    // A failure leaves with the layer's name and the step, for whoever supervises.
    /// <inheritdoc/>
    protected override bool AroundReceive(Receive receive, object message)
    {
        try
        {
            return base.AroundReceive(receive, message);
        }
        catch (Exception e) when (e is not LayerException)
        {
            throw new LayerException(FailureName, CurrentStep, e);
        }
    }

    /// <summary>Receives a message of this generation; drops it if it is of another.</summary>
    protected void OfGeneration<TMessage>(Action<TMessage> handler)
        where TMessage : IGenerationMessage => Receive<TMessage>(message =>
        {
            if (message.Generation == Generation)
            {
                handler(message);
            }
            else
            {
                TensorsOf.Message(message);
            }
        });

    /// <summary>The receivers that every connected actor has besides its own; the last of them.</summary>
    protected void OfEveryState()
    {
        OfGeneration<Abandon>(_ =>
        {
            ReleaseAll();
            Become(Drop);
            Sender.Tell(new Abandoned(Generation));
        });
        ReceiveAny(TensorsOf.Message);
    }

    private void Drop()
    {
        BeforeConnected();
        OfGeneration<Connect>(links =>
        {
            Become(() =>
            {
                BecomeConnected(links);
                OfEveryState();
            });
            Sender.Tell(new Connected(Generation));
        });
        OfGeneration<Abandon>(_ => Sender.Tell(new Abandoned(Generation)));
        ReceiveAny(TensorsOf.Message);
    }
}
