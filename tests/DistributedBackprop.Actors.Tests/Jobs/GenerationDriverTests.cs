using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Tests.Jobs;

/// <summary>The start of a generation, in virtual time, with probes that stand in for its nodes.</summary>
public sealed class GenerationDriverTests() : TestKit("""akka.scheduler.implementation = "Akka.TestKit.TestScheduler, Akka.TestKit" """)
{
    private const long Generation = 3;
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(50);

    [Fact]
    public void A_start_lasts_as_long_as_nodes_prepare_and_state_arrives_and_no_longer()
    {
        var (first, second) = (CreateTestProbe("first"), CreateTestProbe("second"));
        var driver = Start(first, second);
        Pass(driver, _long);
        driver.Tell(new GenerationPrepared(Generation, "n1"), first);
        Pass(driver, _long);
        driver.Tell(new GenerationPrepared(Generation, "n2"), second);
        first.FishForMessage(message => message is BeginGeneration);
        for (var elements = 1; elements < 10; elements++)
        {
            Pass(driver, _long);
            driver.Tell(new StateArrives(Generation, elements % 2 == 0 ? "n1" : "n2", elements));
        }

        Pass(driver, _long);
        driver.Tell(new GenerationBegun(Generation, "n1"), first);
        Pass(driver, _long);
        ExpectNoMsg(TimeSpan.Zero);

        // What was told before, and what others tell, is no progress.
        driver.Tell(new GenerationBegun(Generation, "n1"), first);
        driver.Tell(new StateArrives(Generation, "n2", 9));
        driver.Tell(new StateArrives(Generation, "a stranger", 1000));
        driver.Tell(new StateArrives(Generation - 1, "n2", 1000));
        Pass(driver, TimeSpan.FromSeconds(11));
        ExpectMsg<GenerationBroken>().Reason.ShouldBe("nodes did not answer in time: n2");
    }

    [Fact]
    public void Nodes_that_never_answer_are_not_waited_for()
    {
        var driver = Start(CreateTestProbe("first"), CreateTestProbe("second"));
        Pass(driver, TimeSpan.FromSeconds(61));
        ExpectMsg<GenerationBroken>().Reason.ShouldBe("nodes did not answer in time: n1, n2");
    }

    private IActorRef Start(TestProbe first, TestProbe second)
    {
        var run = SmallJob.Run;
        var prepare = new PrepareGeneration(
            run.Id,
            Generation,
            run.Job,
            run.Data.Fingerprint,
            run.Data.Train.Count,
            new Placement(2, 1, (replica, _) => replica == 0 ? "n1" : "n2"),
            [new Member("n1", null, first), new Member("n2", null, second)],
            new Member(JobKeeper.Name, null, ActorRefs.Nobody),
            0,
            StateOrigin.Fresh);
        return ChildActorOf(GenerationDriver.Props(prepare, "a test", new JobKeeper(new TensorPool()), run.StateLayout(), null));
    }

    // All that was told before is done before the time passes, and all that the time brings about after it.
    private void Pass(IActorRef driver, TimeSpan time)
    {
        Settle(driver);
        ((TestScheduler)Sys.Scheduler).Advance(time);
        Settle(driver);
    }

    private void Settle(IActorRef driver)
    {
        var probe = CreateTestProbe();
        driver.Tell(new Identify(null), probe);
        probe.ExpectMsg<ActorIdentity>();
    }
}
