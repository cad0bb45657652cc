using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;

namespace DistributedBackprop.Simulation;

/// <summary>The type of all mailboxes of a simulated node.</summary>
internal sealed class SimulatedMailbox : MailboxType, IProducesMessageQueue<SimulatedMessageQueue>
{
    /// <summary>Called by Akka.</summary>
    public SimulatedMailbox(Settings settings, Config config)
        : base(settings, config)
    {
    }

    /// <inheritdoc/>
    public override IMessageQueue Create(IActorRef owner, ActorSystem system)
    {
        SimulatedNode node = SimulatedScheduler.NodeOf(system.Scheduler);
        MessageDispatcher? dispatcher = owner switch
        {
            RepointableActorRef actor => DispatcherOf(actor),
            LocalActorRef actor => DispatcherOf(actor),
            _ => null,
        };

        // Found out here, on the loop's thread, it is found out always; later it is a matter of which thread is faster.
        if (dispatcher is not (null or SimulatedDispatcher))
        {
            node.Loop.ReportOutside(
                $"{TracedPath.Of(owner)} on {node.Label} uses dispatcher {dispatcher.Id}, which is not mapped to the loop: "
                + $"name it in {nameof(SimulationOptions)}.{nameof(SimulationOptions.Dispatchers)}; seen");
        }

        return new SimulatedMessageQueue(owner, node);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "Dispatcher")]
    private static extern ref MessageDispatcher DispatcherOf(RepointableActorRef actor);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_dispatcher")]
    private static extern ref MessageDispatcher DispatcherOf(LocalActorRef actor);
}

/// <summary>
/// The messages that wait for one actor. Traces each as it is taken, and refuses to serve any thread but the loop's.
/// </summary>
internal sealed class SimulatedMessageQueue : IMessageQueue, IUnboundedDequeBasedMessageQueueSemantics
{
    private readonly SimulatedNode _node;
    private readonly Queue<Envelope> _messages = new();
    private readonly Stack<Envelope> _first = new();

    /// <summary>The queue of <paramref name="owner"/>.</summary>
    public SimulatedMessageQueue(IActorRef owner, SimulatedNode node)
    {
        _node = node;
        OwnerPath = TracedPath.Of(owner);
    }

    /// <summary>The traced path of the actor it belongs to.</summary>
    public string OwnerPath { get; }

    /// <inheritdoc/>
    public bool HasMessages => Count > 0;

    // A thread that was turned away must not find work again: it would spin.
    /// <inheritdoc/>
    public int Count => _node.Loop.IsOnItsThread ? _messages.Count + _first.Count : 0;

    /// <inheritdoc/>
    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        if (!_node.Loop.IsOnItsThread)
        {
            _node.Loop.ReportOutside($"a message of {envelope.Message.GetType()} was sent to {OwnerPath} on {_node.Label}");
            return;
        }

        if (_node.Loop.Altered(_node, OwnerPath, envelope) is { } others)
        {
            foreach (object other in others)
            {
                _messages.Enqueue(new Envelope(other, envelope.Sender));
            }
        }
        else
        {
            _messages.Enqueue(envelope);
        }

        _node.Loop.LongestMailbox = Math.Max(_node.Loop.LongestMailbox, _messages.Count);
    }

    /// <inheritdoc/>
    public void EnqueueFirst(Envelope envelope) => _first.Push(envelope);

    /// <inheritdoc/>
    public bool TryDequeue(out Envelope envelope)
    {
        if (!_node.Loop.IsOnItsThread)
        {
            _node.Loop.ReportOutside($"{OwnerPath} on {_node.Label} was run");
            envelope = default;
            return false;
        }

        if (!TryTake(out envelope))
        {
            return false;
        }

        _node.Loop.TraceMessage(_node, OwnerPath, envelope);
        return true;
    }

    /// <inheritdoc/>
    public void CleanUp(IActorRef owner, IMessageQueue deadletters)
    {
        // What is thrown away was never handled: it stays out of the trace.
        while (TryTake(out Envelope envelope))
        {
            deadletters.Enqueue(owner, envelope);
        }
    }

    private bool TryTake(out Envelope envelope) => _first.TryPop(out envelope) || _messages.TryDequeue(out envelope);
}
