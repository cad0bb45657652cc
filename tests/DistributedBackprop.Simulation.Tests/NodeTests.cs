using Akka.Actor;
using Akka.Configuration;
using Akka.Event;

namespace DistributedBackprop.Simulation.Tests;

public sealed class NodeTests
{
    [Fact]
    public void A_kill_runs_no_PostStop_drops_messages_and_timers_and_leaves_other_nodes_alone()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode dead = loop.CreateNode("dead");
        SimulatedNode other = loop.CreateNode("other");
        var seen = new List<string>();
        IActorRef[] probes = [.. new[] { dead, other }.Select(node => node.System.ActorOf(Probe.Of(
            (_, message) => seen.Add($"{node.Name} {message}"),
            probe => probe.Timers.StartSingleTimer("later", "timer", TimeSpan.FromSeconds(1)),
            _ => seen.Add($"{node.Name} stopped"))))];
        loop.RunFor(TimeSpan.FromMilliseconds(10));
        foreach (IActorRef probe in probes)
        {
            probe.Tell("queued");
        }

        dead.Kill();
        foreach (IActorRef probe in probes)
        {
            probe.Tell("late");
        }

        loop.RunUntilQuiescent();
        seen.ShouldBe(["other queued", "other late", "other timer"]);
        dead.IsKilled.ShouldBeTrue();
        dead.IsAlive.ShouldBeFalse();
        other.IsAlive.ShouldBeTrue();

        other.Terminate();
        loop.RunUntil(() => other.IsTerminated);
        seen[^1].ShouldBe("other stopped");
        dead.IsTerminated.ShouldBeFalse();
    }

    [Fact]
    public void A_killed_machine_starts_again_under_its_name()
    {
        using var loop = new SimulationLoop(1);
        var lives = new List<string>();
        for (int life = 0; life < 3; life++)
        {
            SimulatedNode node = loop.CreateNode("phoenix");
            node.System.ActorOf(Probe.Of((_, _) => { }, _ => lives.Add(node.Label)), "same");
            loop.RunUntilQuiescent();
            node.Kill();
        }

        lives.ShouldBe(["phoenix#0", "phoenix#1", "phoenix#2"]);
        loop.Nodes.Count.ShouldBe(3);
    }

    [Fact]
    public void An_actor_cannot_cut_itself_off_but_can_have_it_done()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("self");
        bool stopped = false;
        Exception? refused = null;
        node.System.ActorOf(
            Probe.Of(
                (_, _) =>
                {
                    refused = Record.Exception(node.Kill);
                    loop.After(TimeSpan.Zero, node.Kill);
                },
                null,
                _ => stopped = true),
            "probe").Tell("go");

        loop.RunUntil(() => node.IsKilled);

        refused.ShouldBeOfType<InvalidOperationException>().Message.ShouldContain("self#0");
        stopped.ShouldBeFalse();
    }

    [Fact]
    public void A_failure_is_seen_by_the_supervisor_and_in_the_log()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("family");
        var seen = new List<string>();
        var strategy = new OneForOneStrategy(cause =>
        {
            seen.Add($"decided on {cause.Message}");
            return cause is ArithmeticException ? Directive.Restart : Directive.Stop;
        });
        Props child = Probe.Of(
            (_, message) => throw (message is Exception cause ? cause : new InvalidOperationException("unexpected")),
            _ => seen.Add("child started"));
        IActorRef parent = node.System.ActorOf(Probe.Of(
            (probe, message) =>
            {
                if (message is Terminated death)
                {
                    seen.Add($"{death.ActorRef.Path.Name} died");
                }
                else
                {
                    probe.Its.Child("child").Tell(message);
                }
            },
            probe => probe.Its.Watch(probe.Its.ActorOf(child, "child")),
            null,
            strategy));
        parent.Tell(new ArithmeticException("injected"));
        parent.Tell(new InvalidOperationException("fatal"));

        loop.RunUntilQuiescent();

        seen.ShouldBe(["child started", "decided on injected", "child started", "decided on fatal", "child died"]);
        node.Errors.Select(log => log.Cause!.Message).ShouldBe(["injected", "fatal"]);
        node.Errors.ShouldAllBe(log => log.Source.Contains("/child", StringComparison.Ordinal));
    }

    [Fact]
    public void Further_dispatchers_are_mapped_by_option_and_by_configuration()
    {
        int thread = Environment.CurrentManagedThreadId;
        using var loop = new SimulationLoop(1, new SimulationOptions { Dispatchers = ["backprop.named"] });
        Config config = ConfigurationFactory.ParseString(
            """
            backprop {
              lane-0 { type = ForkJoinDispatcher, dedicated-thread-pool.thread-count = 2 }
              pool { type = PinnedDispatcher }
            }
            akka.actor.internal-dispatcher { executor = fork-join-executor }
            """).WithFallback("backprop.lane-1 { type = TaskDispatcher }");
        SimulatedNode node = loop.CreateNode("lanes", config);
        var threads = new List<int>();
        string[] ids =
        [
            "backprop.named", "backprop.lane-0", "backprop.lane-1", "backprop.pool", "akka.actor.default-dispatcher",
            "akka.actor.internal-dispatcher", "akka.actor.default-blocking-io-dispatcher",
        ];
        foreach (string id in ids)
        {
            node.System.ActorOf(Probe.Of((_, _) => threads.Add(Environment.CurrentManagedThreadId)).WithDispatcher(id)).Tell("run");
            node.System.Dispatchers.Lookup(id).Schedule(() => threads.Add(Environment.CurrentManagedThreadId));
        }

        loop.RunUntilQuiescent();

        threads.ShouldBe(Enumerable.Repeat(thread, 2 * ids.Length));
    }

    [Fact]
    public void A_dispatcher_that_was_not_recognised_is_found_out()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("stray", ConfigurationFactory.ParseString(
            """stray.type = "Akka.Dispatch.PinnedDispatcherConfigurator, Akka" """));
        node.System.ActorOf(Probe.Of((_, _) => { }).WithDispatcher("stray"), "probe").Tell("run");

        string message = Should.Throw<SimulationException>(loop.RunUntilQuiescent).Message;

        message.ShouldContain("/user/probe");
        message.ShouldContain("outside the loop");
    }

    [Fact]
    public void Level_and_settings_of_the_caller_hold()
    {
        using var loop = new SimulationLoop(1);
        Config config = ConfigurationFactory.ParseString(
            """
            akka { loglevel = INFO, stdout-loglevel = INFO, actor.serialize-messages = on }
            mine = 3
            """);
        SimulatedNode node = loop.CreateNode("chatty", config);
        node.System.Log.Info("hello {0}", 7);

        node.System.Settings.Config.GetInt("mine").ShouldBe(3);
        node.System.Settings.SerializeAllMessages.ShouldBeTrue();
        CapturedLog log = node.Logs.Single(entry => entry.Text == "hello 7");
        log.Level.ShouldBe(LogLevel.InfoLevel);
    }
}
