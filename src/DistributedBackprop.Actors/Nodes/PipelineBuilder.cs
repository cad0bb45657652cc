using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>Makes the actors of a generation on one node.</summary>
internal sealed class PipelineBuilder
{
    private readonly PrepareGeneration _prepare;
    private readonly IActorRef _job;
    private readonly Lanes _lanes;
    private readonly TensorPool _pool;
    private readonly StepPlan _plan;
    private readonly Schedule _schedule;
    private readonly ImmutableArray<int> _stageOf;
    private readonly Optimizer _optimizer;

    public PipelineBuilder(PrepareGeneration prepare, IActorRef job, Lanes lanes, TensorPool pool)
    {
        _prepare = prepare;
        _job = job;
        _lanes = lanes;
        _pool = pool;
        _plan = new StepPlan(prepare.Job.Training, prepare.Data.Train.Count);
        var parallelism = prepare.Job.Parallelism;
        _schedule = Schedule.Of(parallelism.Schedule, parallelism.Stages, prepare.Job.Training.MicroBatches);
        _stageOf = StageCut.Of([.. prepare.Graph.Nodes.Select(node => node.Layer.WorkPerExample)], parallelism.Stages);
        _optimizer = Optimizer.Of(prepare.Job.Optimizer);
    }

    private Parallelism Parallelism => _prepare.Job.Parallelism;

    public ImmutableArray<PipelineRefs> Build(IActorRefFactory factory)
    {
        var parameters = new List<Parameters>(_prepare.Graph.Nodes.Length);
        try
        {
            foreach (var node in _prepare.Graph.Nodes)
            {
                AddInitialParameters(node, parameters);
            }

            return [.. Enumerable.Range(0, Parallelism.Replicas).Select(replica => Pipeline(factory, replica, parameters))];
        }
        finally
        {
            foreach (var layer in parameters)
            {
                layer.Dispose();
            }
        }
    }

    private PipelineRefs Pipeline(IActorRefFactory factory, int replica, List<Parameters> parameters)
    {
        var layers = _prepare.Graph.Nodes.Select(node =>
        {
            var layer = Start(
                factory,
                LayerActor.Props(_prepare.Generation, _job, Assign(node, replica)),
                replica,
                _stageOf[node.Index],
                node.Name);
            layer.Tell(new Restore(_prepare.Generation, parameters[node.Index].Share()));
            return layer;
        }).ToImmutableArray();
        return new PipelineRefs(
            Start(factory, ReplicaActor.Props(_prepare.Generation, _job, AssignReplica(replica)), replica, 0, "(replica)"),
            layers,
            Start(
                factory,
                LossActor.Props(
                    _prepare.Generation,
                    _job,
                    Loss.Of(_prepare.Job.Loss, _prepare.Graph.Output),
                    WorkspaceOf(replica, Parallelism.Stages - 1)),
                replica,
                Parallelism.Stages - 1,
                "(loss)"));
    }

    private LayerAssignment Assign(GraphNode node, int replica) => new(
        node,
        replica,
        _schedule[_stageOf[node.Index]],
        Parallelism.Averaging,
        _optimizer,
        _prepare.Job.Optimizer.LearningRate,
        _plan.TotalSteps,
        WorkspaceOf(replica, _stageOf[node.Index]));

    private ReplicaAssignment AssignReplica(int replica) => new(
        replica,
        Parallelism.Replicas,
        _prepare.Job.Training.MicroBatches,
        _prepare.Job.Seed,
        _prepare.Job.Data.Shuffle,
        _prepare.Graph.Input,
        _prepare.Data,
        _plan,
        Parallelism.Averaging,
        WorkspaceOf(replica, 0));

    private IActorRef Start(IActorRefFactory factory, Props props, int replica, int stage, string name) => factory.ActorOf(
        props.WithDispatcher(LayerThreads.DispatcherOf(LaneOf(replica, stage))),
        $"g{_prepare.Generation}-r{replica}-{name}");

    private int LaneOf(int replica, int stage) => _lanes.Of((replica * Parallelism.Stages) + stage);

    private Workspace WorkspaceOf(int replica, int stage) => _lanes.Workspaces[LaneOf(replica, stage)];

    // Into the list at once: what fails after that is given up with the others.
    private void AddInitialParameters(GraphNode node, List<Parameters> all)
    {
        var layer = node.Layer;
        var parameters = RentParameters(node);
        all.Add(parameters);
        if (_prepare.Initial is null)
        {
            layer.Initialize(parameters, node.Name, _prepare.Job.Seed);
        }
        else
        {
            foreach (var slot in layer.Parameters.Slots)
            {
                _prepare.Initial[$"{node.Name}.{slot.Name}"].CopyTo(parameters[slot]);
            }
        }

        for (var start = 0; start < layer.Parameters.Length; start += layer.UpdateBlock)
        {
            layer.Prepare(parameters, start, Math.Min(layer.UpdateBlock, layer.Parameters.Length - start));
        }
    }

    private Parameters RentParameters(GraphNode node)
    {
        try
        {
            return Parameters.Rent(_pool, node.Layer.Parameters, node.Layer.PackedLength);
        }
        catch (Exception e) when (e is OutOfMemoryException or OverflowException)
        {
            throw new LayerException(
                node.Name,
                0,
                new InvalidOperationException($"no memory for its {node.Layer.Parameters.Length} parameters", e));
        }
    }
}
