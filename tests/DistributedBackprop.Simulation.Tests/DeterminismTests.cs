using Akka.Actor;
using Akka.Actor.Internal;
using Akka.TestKit.Xunit2;

namespace DistributedBackprop.Simulation.Tests;

public sealed class DeterminismTests
{
    // What these seeds did in another process, once. They change with Akka's version, with the workshop, and with the
    // simulation itself; they must not change with the process, the machine or the build.
    public static TheoryData<ulong, string> Golden => new()
    {
        { 1, "daa51c1bc5c37f67d128811bdcfd2c3218380c8a016aec7b2a044ea0187b3885" },
        { 2, "bc7e623457d74e407f2bca5510d182460ceb78b4af6119e78b7193461e3342fb" },
        { 77, "a8ed3b51f5005b279c923d889b01ce7f8ba27aefb64efbc176f5a42f10f1a887" },
    };

    [Fact]
    public void Two_hundred_seeds_do_the_same_twice()
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            Workshop.Result first = Workshop.Run(seed);
            Workshop.Result second = Workshop.Run(seed);
            second.ShouldBe(first, $"seed {seed}");
        }
    }

    [Fact]
    public void Different_seeds_choose_different_orders_and_results()
    {
        List<Workshop.Result> results = [.. Enumerable.Range(0, 50).Select(seed => Workshop.Run((ulong)seed))];
        results.DistinctBy(result => result.TraceHash).Count().ShouldBe(50);
        results.DistinctBy(result => result.Report).Count().ShouldBeGreaterThan(10);
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public void Golden_seeds_do_the_same_in_every_process(ulong seed, string expected) =>
        Workshop.Run(seed).TraceHash.ShouldBe(expected, $"seed {seed}");

    [Fact]
    public void A_test_kit_that_was_on_the_thread_changes_nothing()
    {
        string alone = Workshop.Run(5).TraceHash;
        ActorCell? before = InternalCurrentActorCellKeeper.Current;
        using var kit = new TestKit();
        ActorCell? left = InternalCurrentActorCellKeeper.Current;
        left.ShouldNotBeNull();
        try
        {
            Workshop.Run(5).TraceHash.ShouldBe(alone);
            InternalCurrentActorCellKeeper.Current.ShouldBe(left);
        }
        finally
        {
            InternalCurrentActorCellKeeper.Current = before;
        }
    }

    [Fact]
    public void Two_loops_in_turn_do_not_disturb_each_other()
    {
        string alone = Workshop.Run(5).TraceHash;
        string? outer;
        using (var other = new SimulationLoop(6))
        {
            SimulatedNode node = other.CreateNode("other");
            Workshop.Run(5).TraceHash.ShouldBe(alone);
            node.Terminate();
            other.RunUntilQuiescent();
            outer = other.TraceHash;
        }

        using var again = new SimulationLoop(6);
        again.CreateNode("other").Terminate();
        again.RunUntilQuiescent();
        again.TraceHash.ShouldBe(outer);
    }

    [Fact]
    public void The_written_trace_is_the_same_twice_and_tells_messages_from_system_messages()
    {
        List<string> Lines()
        {
            var lines = new List<string>();
            Workshop.Run(3, new SimulationOptions { OnTrace = lines.Add });
            return lines;
        }

        List<string> first = Lines();
        Lines().ShouldBe(first);
        first.ShouldContain(line => line.Contains("message office#0 akka://office/user/foreman", StringComparison.Ordinal));
        first.ShouldContain(line => line.Contains("Akka.Dispatch.SysMsg.Recreate", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(7, 7, true)]
    [InlineData(7, 8, false)]
    public void The_content_of_messages_is_part_of_the_history(int one, int other, bool same)
    {
        string Hash(int number)
        {
            using var loop = new SimulationLoop(1);
            loop.CreateNode("node").System.ActorOf(Probe.Of((_, _) => { }), "probe").Tell(new Workshop.Job(number));
            loop.RunUntilQuiescent();
            return loop.TraceHash;
        }

        (Hash(one) == Hash(other)).ShouldBe(same);
    }
}
