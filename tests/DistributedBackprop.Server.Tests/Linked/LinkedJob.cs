using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>A job on linked nodes, while it runs.</summary>
/// <param name="Actor">The job's actor.</param>
/// <param name="Directory">Whom it knows the nodes from.</param>
internal sealed record LinkedJob(IActorRef Actor, IActorRef Directory)
{
    /// <summary>The nodes are these now.</summary>
    public void Nodes(ImmutableArray<NodeInfo> nodes) => Directory.Tell(new NodesChanged(nodes));

    /// <summary>A node has just died: it will be found not to answer, unless it is known to be gone by then.</summary>
    public void FallsSilent(NodeInfo node) => Directory.Tell(new FallsSilent(node.Agent));
}

/// <summary>A node answers the cluster no more.</summary>
/// <param name="Agent">Its agent.</param>
internal sealed record FallsSilent(IActorRef Agent);

/// <summary>What a job on linked nodes said and did.</summary>
internal sealed record LinkedRun(
    IReadOnlyList<TrainingEvent> Events,
    TrainingEvent Outcome,
    string? WeightsSha256,
    ImmutableArray<GenerationStatistics> Generations,
    JobStart? GoesOnFrom)
{
    public TrainingCompleted Completed => Outcome.ShouldBeOfType<TrainingCompleted>(Outcome.ToString());

    public IEnumerable<NodeStatistics> Nodes => Generations.SelectMany(generation => generation.Nodes);

    public IEnumerable<long> Steps => Events.OfType<StepDone>().Select(step => step.Step);
}
