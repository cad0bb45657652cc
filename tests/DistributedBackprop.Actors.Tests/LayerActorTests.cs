using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;
using Activation = DistributedBackprop.Actors.Pipeline.Activation;

namespace DistributedBackprop.Actors.Tests;

/// <summary>One layer actor between probes that stand in for its neighbours.</summary>
public sealed class LayerActorTests : TestKit
{
    private const long Generation = 7;
    private const int InputEdge = 3;
    private const int OutputEdge = 4;
    private const int OtherOutputEdge = 5;
    private readonly TensorPool _pool = new();
    private readonly TestProbe _job;
    private readonly TestProbe _before;
    private readonly TestProbe _after;
    private readonly TestProbe _alsoAfter;

    public LayerActorTests()
    {
        _job = CreateTestProbe("job");
        _before = CreateTestProbe("before");
        _after = CreateTestProbe("after");
        _alsoAfter = CreateTestProbe("also-after");
    }

    [Fact]
    public void A_value_goes_to_every_consumer_and_their_deltas_come_back_as_one()
    {
        var layer = Start(microBatches: 1);
        layer.Tell(Forward(0, 1, 2));
        Values(_after.ExpectMsg<Activation>()).ShouldBe([2, 4]);
        Values(_alsoAfter.ExpectMsg<Activation>()).ShouldBe([2, 4]);

        // One delta is not enough: the layer waits for all its consumers.
        layer.Tell(Backward(0, 1, 10, 20));
        _before.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        layer.Tell(Backward(0, 0, 1, 2));
        Values(_before.ExpectMsg<Delta>()).ShouldBe([22, 44]);
    }

    [Fact]
    public void What_comes_before_its_turn_waits_for_it()
    {
        var layer = Start(microBatches: 2);

        // One stage of 1F1B: forward and backward in turn, so the second forward waits for the first backward.
        layer.Tell(Forward(1, 5, 6));
        layer.Tell(Backward(0, 0, 1, 1));
        layer.Tell(Backward(0, 1, 1, 1));
        _after.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        layer.Tell(Forward(0, 1, 2));
        _after.ExpectMsg<Activation>(message => message.Key.Index.ShouldBe(0)).Value.Dispose();
        _before.ExpectMsg<Delta>(message => message.Key.Index.ShouldBe(0)).Value.Dispose();
        _after.ExpectMsg<Activation>(message => message.Key.Index.ShouldBe(1)).Value.Dispose();
    }

    [Fact]
    public void A_complete_gradient_updates_the_layer_for_the_next_step()
    {
        var layer = Start(microBatches: 1);
        Train(layer, 1);

        // w = 2; ∂loss/∂w = Σ δ·x = (1 + 1)·1 + (1 + 1)·2 = 6; w ← 2 − 0.5·6.
        layer.Tell(new CaptureState(Generation, 1, ParametersOnly: true, TrainsOn: false), TestActor);
        var parameters = ExpectMsg<StatePart>();
        parameters.Value.Floats.ToArray().ShouldBe([-1]);
        Train(layer, 2);

        // The snapshot stays as it was: an update replaces, it never overwrites what somebody keeps.
        parameters.Value.Floats.ToArray().ShouldBe([-1]);
        layer.Tell(new CaptureState(Generation, 2, ParametersOnly: true, TrainsOn: false), TestActor);
        ExpectMsg<StatePart>().Value.Floats.ToArray().ShouldBe([-4]);
    }

    [Fact]
    public void Messages_of_another_generation_are_dropped_with_their_tensors()
    {
        var layer = Start(microBatches: 1);
        var held = _pool.Outstanding;
        layer.Tell(Forward(0, 1, 2) with { Generation = Generation - 1 });
        layer.Tell(Backward(0, 0, 1, 2) with { Generation = Generation + 1 });
        AwaitAssert(() => _pool.Outstanding.ShouldBe(held));
        _after.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public void An_abandoned_layer_returns_all_it_holds_and_whatever_still_comes()
    {
        var layer = Start(microBatches: 3);
        layer.Tell(Forward(0, 1, 2));
        layer.Tell(Forward(2, 1, 2));
        layer.Tell(Backward(1, 0, 1, 2));
        _after.ExpectMsg<Activation>().Value.Dispose();
        _alsoAfter.ExpectMsg<Activation>().Value.Dispose();
        layer.Tell(new Abandon(Generation), TestActor);
        ExpectMsg<Abandoned>();
        _pool.Outstanding.ShouldBe(0);
        layer.Tell(Forward(1, 1, 2));
        AwaitAssert(() => _pool.Outstanding.ShouldBe(0));
    }

    [Fact]
    public void A_value_that_comes_twice_is_a_failure_with_the_layers_name_and_step()
    {
        var layer = Start(microBatches: 2);
        EventFilter.Exception<LayerException>("Layer scale failed at step 1: Part 0 of step 1 micro-batch 1 came twice.")
            .ExpectOne(() =>
            {
                layer.Tell(Forward(1, 1, 2));
                layer.Tell(Forward(1, 1, 2));
            });
    }

    [Fact]
    public void A_layer_whose_inputs_were_finite_names_itself_where_a_loss_is_not()
    {
        var layer = Start(microBatches: 1);
        layer.Tell(Forward(0, 1, 2));
        layer.Tell(new TraceNonFinite(Generation, new MicroBatchKey(1, 0, true), 0, OutputEdge));
        _job.ExpectMsg<LayerFailed>().Layer.ShouldBe("scale");
    }

    [Fact]
    public void A_layer_whose_inputs_were_not_finite_asks_the_one_before()
    {
        var layer = Start(microBatches: 1);
        layer.Tell(Forward(0, 1, float.NaN));
        layer.Tell(new TraceNonFinite(Generation, new MicroBatchKey(1, 0, true), 0, OutputEdge));
        _before.ExpectMsg<TraceNonFinite>();
    }

    // y = w·x with w = 2, two examples of one number each.
    private IActorRef Start(int microBatches)
    {
        var dense = new DenseLayer(
            new Shape(1), new DenseKind(1, null, false, new Initializer(InitializerKind.Default)));
        var node = new GraphNode(
            1,
            new ModelLayer("scale", ["before"], new DenseKind(1, null, false, new Initializer(InitializerKind.Default))),
            dense,
            [0],
            InputEdge,
            [OutputEdge, OtherOutputEdge],
            [true]);
        var assignment = new LayerAssignment(
            node,
            Replica: 0,
            Replicas: 1,
            AfterStep: 0,
            Schedule.Of(ScheduleKind.OneForwardOneBackward, 1, microBatches)[0],
            new GradientAveraging(),
            Optimizer.Of(new SgdChoice { LearningRate = new ConstantRate(0.5) }),
            new ConstantRate(0.5),
            10,
            new Workspace(_pool, SequentialTiles.Instance),
            new StageMeter(Sys.Scheduler),
            new AveragingMeter(Sys.Scheduler));
        var layer = Sys.ActorOf(LayerActor.Props(Generation, _job, assignment));
        var parameters = Parameters.Rent(_pool, dense.Parameters, dense.PackedLength);
        parameters.Vector.Floats[0] = 2;
        dense.Prepare(parameters, 0, 1);
        layer.Tell(new Restore(Generation, parameters));
        layer.Tell(
            new Connect(Generation, [new Link(_after, OutputEdge), new Link(_alsoAfter, OtherOutputEdge)], [new Link(_before, InputEdge)], [new Peer(layer, true)]),
            TestActor);
        ExpectMsg<Connected>();
        return layer;
    }

    private void Train(IActorRef layer, long step)
    {
        layer.Tell(Forward(0, 1, 2) with { Key = new MicroBatchKey(step, 0, true) });
        layer.Tell(Backward(0, 0, 1, 1) with { Key = new MicroBatchKey(step, 0, true) });
        layer.Tell(Backward(0, 1, 1, 1) with { Key = new MicroBatchKey(step, 0, true) });
        _after.ExpectMsg<Activation>().Value.Dispose();
        _alsoAfter.ExpectMsg<Activation>().Value.Dispose();
        _before.ExpectMsg<Delta>().Value.Dispose();
    }

    private Activation Forward(int microBatch, params float[] values) =>
        new(Generation, new MicroBatchKey(1, microBatch, true), 0, InputEdge, 0, TensorOf(values));

    private Delta Backward(int microBatch, int consumer, params float[] values) =>
        new(Generation, new MicroBatchKey(1, microBatch, true), 0, OutputEdge + consumer, TensorOf(values));

    private Tensor TensorOf(float[] values)
    {
        var tensor = Tensor.Rent(_pool, new Shape(values.Length, 1));
        values.CopyTo(tensor.Floats);
        return tensor;
    }

    private static float[] Values(Activation message)
    {
        using (message.Value)
        {
            return message.Value.Floats.ToArray();
        }
    }

    private static float[] Values(Delta message)
    {
        using (message.Value)
        {
            return message.Value.Floats.ToArray();
        }
    }
}
