using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>Makes the actors of a generation on one node.</summary>
/// <param name="scope">What runs here.</param>
/// <param name="job">Who hears of losses and failures.</param>
/// <param name="data">The examples; null where none are needed.</param>
/// <param name="lanes">The threads.</param>
/// <param name="meters">Of the stages here.</param>
/// <param name="averaging">Of the averagings here.</param>
/// <param name="observer">Watches what runs here; null in training.</param>
internal sealed class PipelineBuilder(
    GenerationScope scope,
    IActorRef job,
    DataSet? data,
    Lanes lanes,
    IReadOnlyDictionary<(int Replica, int Stage), StageMeter> meters,
    AveragingMeter averaging,
    IPassObserver? observer)
{
    private readonly Schedule _schedule = Schedule.Of(
        scope.Parallelism.Schedule, scope.Parallelism.Stages, scope.Prepare.Job.Training.MicroBatches);

    private PrepareGeneration Prepare => scope.Prepare;

    private int LastStage => scope.Parallelism.Stages - 1;

    /// <summary>Makes them, and gives the layers what they begin with.</summary>
    /// <param name="factory">Whose children they are.</param>
    /// <param name="states">What layers begin with.</param>
    public LocalActors Build(IActorRefFactory factory, LayerStates states)
    {
        var plan = new StepPlan(Prepare.Job.Training, Prepare.TrainExamples);
        var layers = ImmutableDictionary.CreateBuilder<(int Replica, int Layer), IActorRef>();
        foreach (var (replica, layer) in scope.Layers)
        {
            var node = scope.Graph.Nodes[layer];
            var stage = scope.StageOf[layer];
            var props = LayerActor.Props(Prepare.Generation, job, Assign(node, replica, plan));
            var actor = Start(factory, props, replica, stage, node.Name);
            actor.Tell(states.Of(replica, layer));
            layers.Add((replica, layer), actor);
        }

        return new LocalActors(
            scope.Pipelines.Where(pipeline => pipeline.Stage == 0).ToImmutableDictionary(
                pipeline => pipeline.Replica,
                pipeline => Start(
                    factory,
                    ReplicaActor.Props(Prepare.Generation, job, AssignReplica(pipeline.Replica, plan)),
                    pipeline.Replica,
                    0,
                    "(replica)")),
            layers.ToImmutable(),
            scope.Pipelines.Where(pipeline => pipeline.Stage == LastStage).ToImmutableDictionary(
                pipeline => pipeline.Replica,
                pipeline => Start(factory, LossProps(pipeline.Replica), pipeline.Replica, LastStage, "(loss)")));
    }

    private Props LossProps(int replica) => LossActor.Props(
        Prepare.Generation,
        job,
        replica,
        Loss.Of(Prepare.Job.Loss, scope.Graph.Output),
        WorkspaceOf(replica, LastStage),
        observer);

    private LayerAssignment Assign(GraphNode node, int replica, StepPlan plan) => new(
        node,
        replica,
        scope.Parallelism.Replicas,
        Prepare.AfterStep,
        _schedule[scope.StageOf[node.Index]],
        scope.Parallelism.Averaging,
        scope.Optimizer,
        Prepare.Job.Optimizer.LearningRate,
        plan.TotalSteps,
        WorkspaceOf(replica, scope.StageOf[node.Index]),
        meters[(replica, scope.StageOf[node.Index])],
        averaging)
    {
        Observer = observer,
    };

    private ReplicaAssignment AssignReplica(int replica, StepPlan plan) => new(
        replica,
        scope.Parallelism.Replicas,
        Prepare.AfterStep,
        Prepare.Job.Training.MicroBatches,
        Prepare.Job.Seed,
        Prepare.Job.Data.Shuffle,
        scope.Graph.Input,
        data!,
        plan,
        scope.Parallelism.Averaging,
        WorkspaceOf(replica, 0));

    private IActorRef Start(IActorRefFactory factory, Props props, int replica, int stage, string name) => factory.ActorOf(
        props.WithDispatcher(LayerThreads.DispatcherOf(LaneOf(replica, stage))), $"r{replica}-{name}");

    private int LaneOf(int replica, int stage) => lanes.Of(scope.Pipelines.IndexOf((replica, stage)));

    private Workspace WorkspaceOf(int replica, int stage) => lanes.Workspaces[LaneOf(replica, stage)];
}

/// <summary>The actors of a generation on one node.</summary>
/// <param name="Replicas">The near ends, by replica.</param>
/// <param name="Layers">The layers, by replica and place in the graph.</param>
/// <param name="Losses">The far ends, by replica.</param>
internal sealed record LocalActors(
    ImmutableDictionary<int, IActorRef> Replicas,
    ImmutableDictionary<(int Replica, int Layer), IActorRef> Layers,
    ImmutableDictionary<int, IActorRef> Losses);
