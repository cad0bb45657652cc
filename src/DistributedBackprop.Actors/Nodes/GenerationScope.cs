using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>What one node has to do in one generation: which follows from the order to prepare it.</summary>
internal sealed class GenerationScope
{
    /// <param name="prepare">The order.</param>
    /// <param name="node">This node's name.</param>
    public GenerationScope(PrepareGeneration prepare, string node)
    {
        Prepare = prepare;
        Node = node;
        Graph = Graph.Of(prepare.Job.Model, prepare.Job.Seed);
        Optimizer = Optimizer.Of(prepare.Job.Optimizer);
        StageOf = StageCut.Of([.. Graph.Nodes.Select(layer => layer.Layer.WorkPerExample)], Parallelism.Stages);
        Pipelines =
        [
            .. from replica in Enumerable.Range(0, Parallelism.Replicas)
               from stage in Enumerable.Range(0, Parallelism.Stages)
               where prepare.Placement[replica, stage] == node
               select (replica, stage),
        ];
        Layers =
        [
            .. from pipeline in Pipelines
               from layer in Graph.Nodes
               where StageOf[layer.Index] == pipeline.Stage
               select (pipeline.Replica, layer.Index),
        ];
        State = StateNeeded();
    }

    /// <summary>The order.</summary>
    public PrepareGeneration Prepare { get; }

    /// <summary>This node's name.</summary>
    public string Node { get; }

    /// <summary>The network.</summary>
    public Graph Graph { get; }

    /// <summary>How its layers update.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>The stage of each layer.</summary>
    public ImmutableArray<int> StageOf { get; }

    /// <summary>The stages of replicas that run here.</summary>
    public ImmutableArray<(int Replica, int Stage)> Pipelines { get; }

    /// <summary>The layers of replicas that run here, by their place in the graph.</summary>
    public ImmutableArray<(int Replica, int Layer)> Layers { get; }

    /// <summary>What of the job's state is needed here before the beginning.</summary>
    public StateLayout State { get; }

    /// <summary>How the job's work is cut.</summary>
    public Parallelism Parallelism => Prepare.Job.Parallelism;

    /// <summary>Whether replicas have parameters of their own.</summary>
    public bool AveragesParameters => Parallelism.Averaging is ParameterAveraging;

    /// <summary>Whether examples are needed here.</summary>
    public bool NeedsData => Pipelines.Any(pipeline => pipeline.Stage == 0);

    /// <summary>The node of a layer of a replica.</summary>
    public string NodeOf(int replica, int layer) => Prepare.Placement[replica, StageOf[layer]];

    /// <summary>The first replica here that has a layer; it owns what they share.</summary>
    public int LeaderOf(int layer) => Layers.First(here => here.Layer == layer).Replica;

    /// <summary>The nodes that this one sends tensors or small messages to.</summary>
    public ImmutableSortedSet<string> Neighbours()
    {
        var neighbours = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var replica in Pipelines.Select(pipeline => pipeline.Replica).Distinct())
        {
            foreach (var edge in Graph.Edges)
            {
                var from = edge.Source == GraphNode.InputIndex ? Prepare.Placement[replica, 0] : NodeOf(replica, edge.Source);
                var to = edge.Consumer == GraphEdge.Loss ? Prepare.Placement[replica, Parallelism.Stages - 1] : NodeOf(replica, edge.Consumer);
                AddOther(neighbours, from, to);
            }

            AddOther(neighbours, Prepare.Placement[replica, 0], Prepare.Placement[replica, Parallelism.Stages - 1]);
        }

        foreach (var layer in Layers.Select(here => here.Layer).Distinct().Where(layer => Graph.Nodes[layer].Layer.Parameters.Length > 0))
        {
            neighbours.UnionWith(Enumerable.Range(0, Parallelism.Replicas).Select(replica => NodeOf(replica, layer)));
        }

        neighbours.Remove(Node);
        return neighbours.ToImmutable();
    }

    private void AddOther(ImmutableSortedSet<string>.Builder neighbours, string one, string other)
    {
        if (one == Node)
        {
            neighbours.Add(other);
        }
        else if (other == Node)
        {
            neighbours.Add(one);
        }
    }

    private StateLayout StateNeeded()
    {
        var all = StateLayout.Of(Graph, Parallelism.Replicas, AveragesParameters, Optimizer.Slots);
        var here = Layers.ToHashSet();
        var layers = Layers.Select(layer => layer.Layer).ToHashSet();
        return Prepare.Origin switch
        {
            StateOrigin.Fresh => all.Where(_ => false),
            StateOrigin.Parameters => all.ParametersOnly.Where(vector => layers.Contains(vector.Layer)),
            _ => all.Where(vector => IsShared(vector) ? layers.Contains(vector.Layer) : here.Contains((vector.Replica, vector.Layer))),
        };
    }

    private bool IsShared(StateVector vector) => vector.Slot switch
    {
        StateSlot.Parameters or StateSlot.OuterMomentum => true,
        >= StateSlot.Optimizer => !AveragesParameters,
        _ => false,
    };
}
