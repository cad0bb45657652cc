using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Actors.Tests.Nodes;

/// <summary>A node that wants to go tells every directory that knows it: one of them is that of the jobs.</summary>
public sealed class LeavingActorTests() : TestKit("""akka.scheduler.implementation = "Akka.TestKit.TestScheduler, Akka.TestKit" """)
{
    private const string Name = "n1";
    private readonly Directories _directories = new();

    [Fact]
    public void All_directories_have_noted_it_before_the_node_goes()
    {
        var (active, standby, agent) = (Directory("active"), Directory("standby"), CreateTestProbe("agent"));
        var leaving = Leave(agent);
        active.ExpectMsg<NodeLeaving>().Node.ShouldBe(Name);
        standby.ExpectMsg<NodeLeaving>().Node.ShouldBe(Name);
        leaving.Tell(new LeavingNoted(Name), standby);
        Pass(leaving, TimeSpan.FromMilliseconds(500));
        active.ExpectMsg<NodeLeaving>();
        standby.ExpectNoMsg(TimeSpan.Zero);
        agent.ExpectNoMsg(TimeSpan.Zero);
        leaving.Tell(new LeavingNoted(Name), active);
        agent.ExpectMsg<TellWhenIdle>();
        leaving.Tell(new NodeIdle(), agent);
        ExpectMsg("idle");
    }

    [Fact]
    public void One_that_does_not_answer_is_not_waited_for_long_once_another_has()
    {
        var (active, dead, agent) = (Directory("active"), Directory("dead"), CreateTestProbe("agent"));
        var leaving = Leave(agent);
        Pass(leaving, TimeSpan.FromSeconds(20));
        agent.ExpectNoMsg(TimeSpan.Zero);
        leaving.Tell(new LeavingNoted(Name), active);
        Pass(leaving, TimeSpan.FromSeconds(4));
        agent.ExpectNoMsg(TimeSpan.Zero);
        Pass(leaving, TimeSpan.FromSeconds(2));
        agent.ExpectMsg<TellWhenIdle>();
        dead.ExpectMsg<NodeLeaving>();
    }

    [Fact]
    public void Where_no_directory_has_asked_nobody_puts_work_there()
    {
        var agent = CreateTestProbe("agent");
        Leave(agent);
        agent.ExpectMsg<TellWhenIdle>();
    }

    private IActorRef Leave(IActorRef agent)
    {
        var test = TestActor;
        return Sys.ActorOf(LeavingActor.Props(Name, _directories, agent, () => test.Tell("idle")));
    }

    private TestProbe Directory(string name)
    {
        var probe = CreateTestProbe(name);
        _directories.Add(probe);
        return probe;
    }

    private void Pass(IActorRef leaving, TimeSpan time)
    {
        Settle(leaving);
        ((TestScheduler)Sys.Scheduler).Advance(time);
        Settle(leaving);
    }

    private void Settle(IActorRef actor)
    {
        var probe = CreateTestProbe();
        actor.Tell(new Identify(null), probe);
        probe.ExpectMsg<ActorIdentity>();
    }
}
