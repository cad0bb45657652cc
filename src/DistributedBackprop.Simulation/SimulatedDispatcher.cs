using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Dispatch.SysMsg;

namespace DistributedBackprop.Simulation;

/// <summary>Hands mailboxes to the loop instead of to threads; one message for each run, so that every message is a choice.</summary>
internal sealed class SimulatedDispatcher : MessageDispatcher
{
    private readonly SimulatedNode _node;

    /// <summary>The dispatcher of <paramref name="id"/> on <paramref name="node"/>.</summary>
    public SimulatedDispatcher(MessageDispatcherConfigurator configurator, string id, SimulatedNode node)
        : base(configurator)
    {
        _node = node;
        Id = id;
        Throughput = 1;

        // Without a deadline Akka handles Throughput + 1 messages in a run; with one that is always past, exactly one.
        ThroughputDeadlineTime = 0;
    }

    /// <inheritdoc/>
    public override void SystemDispatch(ActorCell cell, SystemMessage message)
    {
        _node.Loop.TraceSystemMessage(_node, cell.Self, message);
        base.SystemDispatch(cell, message);
    }

    /// <inheritdoc/>
    protected override void ExecuteTask(IRunnable run)
    {
        string path = run is not Mailbox mailbox ? "" : mailbox.MessageQueue is SimulatedMessageQueue queue
            ? queue.OwnerPath
            : throw new SimulationException(
                $"An actor of node {_node.Label} on dispatcher {Id} has a mailbox of {mailbox.MessageQueue.GetType()}, which the "
                + "simulation can neither order nor trace. Leave the actor its default mailbox.");
        _node.Loop.Enqueue(_node, path, run);
    }

    /// <inheritdoc/>
    protected override void Shutdown()
    {
    }
}

/// <summary>What HOCON names as the <c>type</c> of a dispatcher that is mapped to the loop.</summary>
internal sealed class SimulatedDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly SimulatedDispatcher _dispatcher;

    /// <summary>Called by Akka.</summary>
    public SimulatedDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) =>
        _dispatcher = new SimulatedDispatcher(this, config.GetString("id"), SimulatedScheduler.NodeOf(prerequisites.Scheduler));

    /// <inheritdoc/>
    public override MessageDispatcher Dispatcher() => _dispatcher;
}
