using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;
using Activation = DistributedBackprop.Actors.Pipeline.Activation;

namespace DistributedBackprop.Actors.Tests;

/// <summary>A near end whose messages get lost, come twice and come late: what is told again is the same.</summary>
public sealed class RepeatedMessagesTests : TestKit
{
    private const long Generation = 7;
    private const int BatchSize = 2;

    private readonly TensorPool _pool = new();
    private readonly TestProbe _job;
    private readonly TestProbe _layer;
    private readonly TestProbe _loss;

    public RepeatedMessagesTests()
    {
        _job = CreateTestProbe("job");
        _layer = CreateTestProbe("layer");
        _loss = CreateTestProbe("loss");
    }

    [Fact]
    public void What_was_judged_is_reported_again_until_the_job_says_that_it_knows()
    {
        var replica = Start();
        replica.Tell(new Grant(Generation, 2, 0));
        Judge(replica, 1, 0.25);
        Judge(replica, 2, 0.5);
        Reported(2).ShouldBe([1, 2]);

        // The same grant again: no step is fed twice, every one not known of is reported.
        replica.Tell(new Grant(Generation, 2, 0));
        _job.ExpectMsg<StepsJudged>().Steps.ShouldBe([new JudgedStep(1, 0.25, 1), new JudgedStep(2, 0.5, 1)]);
        replica.Tell(new Grant(Generation, 2, 1));
        _job.ExpectMsg<StepsJudged>().Steps.ShouldBe([new JudgedStep(2, 0.5, 1)]);
        replica.Tell(new Grant(Generation, 2, 2));
        _job.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        _layer.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public void A_step_that_is_judged_twice_is_judged_once()
    {
        var replica = Start();
        replica.Tell(new Grant(Generation, 2, 0));
        Judge(replica, 1, 0.25);
        replica.Tell(new Judged(Generation, new MicroBatchKey(1, 0, true), 0, 0.25, 1));
        Judge(replica, 2, 0.5);
        replica.Tell(new Judged(Generation, new MicroBatchKey(1, 0, true), 0, 0.25, 1));
        Reported(2).ShouldBe([1, 2]);
    }

    [Fact]
    public void An_evaluation_asked_for_again_is_answered_again_and_a_second_one_is_another()
    {
        var replica = Start();
        replica.Tell(new Grant(Generation, 1, 0));
        Judge(replica, 1, 0.25);
        Reported(1).ShouldBe([1]);
        replica.Tell(new Evaluate(Generation, 1, 1));
        replica.Tell(new Evaluate(Generation, 1, 1));
        var first = Fed();
        first.ShouldBe(new MicroBatchKey(1, 0, false));
        replica.Tell(new Judged(Generation, first, 0, 3, 2));
        var answer = _job.ExpectMsg<Evaluated>();
        answer.ShouldBe(new Evaluated(Generation, 1, 1, 0, 3, 2));
        replica.Tell(new Evaluate(Generation, 1, 1));
        _job.ExpectMsg<Evaluated>().ShouldBe(answer);

        // What is late of the first evaluation is no part of the second.
        replica.Tell(new Evaluate(Generation, 1, 2));
        var second = Fed();
        second.ShouldNotBe(first);
        replica.Tell(new Judged(Generation, first, 0, 3, 2));
        _job.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        replica.Tell(new Judged(Generation, second, 0, 4, 1));
        _job.ExpectMsg<Evaluated>().ShouldBe(new Evaluated(Generation, 1, 2, 0, 4, 1));
        replica.Tell(new Evaluate(Generation, 1, 1));
        _job.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    private IActorRef Start()
    {
        var data = new DataSet(
            Examples.OfFloats(new Shape(1), [1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1]),
            Examples.OfFloats(new Shape(1), [7, 8], [0, 1]));
        var assignment = new ReplicaAssignment(
            Replica: 0,
            Replicas: 1,
            AfterStep: 0,
            MicroBatches: 1,
            Seed: 1,
            Shuffle: false,
            new Shape(1),
            data,
            new StepPlan(new TrainingPlan { BatchSize = BatchSize, Epochs = 5 }, data.Train.Count),
            new GradientAveraging(),
            new Workspace(_pool, SequentialTiles.Instance));
        var replica = Sys.ActorOf(ReplicaActor.Props(Generation, _job, assignment));
        replica.Tell(new Connect(Generation, [new Link(_layer, 0)], [], [], _loss), TestActor);
        ExpectMsg<Connected>();
        return replica;
    }

    private void Judge(IActorRef replica, long step, double lossSum)
    {
        var key = Fed();
        key.ShouldBe(new MicroBatchKey(step, 0, true));
        replica.Tell(new Judged(Generation, key, 0, lossSum, 1));
    }

    private MicroBatchKey Fed()
    {
        _loss.ExpectMsg<Targets>().Labels.Dispose();
        var activation = _layer.ExpectMsg<Activation>();
        activation.Value.Dispose();
        return activation.Key;
    }

    // Quick steps may be reported together or one by one.
    private List<long> Reported(int count)
    {
        var steps = new List<long>();
        while (steps.Count < count)
        {
            steps.AddRange(_job.ExpectMsg<StepsJudged>().Steps.Select(step => step.Step));
        }

        return steps;
    }
}
