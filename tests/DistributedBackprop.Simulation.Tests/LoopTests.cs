using Akka.Actor;

namespace DistributedBackprop.Simulation.Tests;

public sealed class LoopTests
{
    [Fact]
    public void Quiescence_is_seen_and_a_condition_that_cannot_come_true_says_so()
    {
        using var loop = new SimulationLoop(42);
        SimulatedNode node = loop.CreateNode("quiet");
        int handled = 0;
        IActorRef probe = node.System.ActorOf(Probe.Of((_, _) => handled++));
        probe.Tell("one");
        loop.RunUntilQuiescent();
        handled.ShouldBe(1);

        string message = Should.Throw<SimulationException>(() => loop.RunUntil(() => handled == 2)).Message;
        message.ShouldContain("seed 42");
        message.ShouldContain("does not hold");
        probe.Tell("two");
        loop.RunUntil(() => handled == 2);
    }

    [Fact]
    public void Too_many_steps_end_with_what_was_pending()
    {
        using var loop = new SimulationLoop(1, new SimulationOptions { MaxSteps = 1000 });
        SimulatedNode node = loop.CreateNode("busy");
        node.System.ActorOf(Probe.Of((probe, message) => probe.Own.Tell(message)), "mill").Tell("again");
        loop.After(TimeSpan.FromDays(1), () => { });

        string message = Should.Throw<SimulationException>(loop.RunUntilQuiescent).Message;

        message.ShouldContain("MaxSteps");
        message.ShouldContain("simulation at 1.00:00:00");
        loop.StepCount.ShouldBe(1001);
    }

    [Fact]
    public void Too_much_virtual_time_ends_a_simulation_that_repeats_for_ever()
    {
        using var loop = new SimulationLoop(1, new SimulationOptions { MaxVirtualTime = TimeSpan.FromMinutes(1) });
        SimulatedNode node = loop.CreateNode("tick");
        node.System.ActorOf(Probe.Of(
            (_, _) => { }, probe => probe.Timers.StartPeriodicTimer("tick", "tick", TimeSpan.FromSeconds(7))));

        Should.Throw<SimulationException>(loop.RunUntilQuiescent).Message.ShouldContain("MaxVirtualTime");
        loop.Now.ShouldBeLessThan(TimeSpan.FromMinutes(1.2));
    }

    [Fact]
    public void Every_order_of_three_senders_occurs()
    {
        var orders = new HashSet<string>();
        for (ulong seed = 0; seed < 64; seed++)
        {
            using var loop = new SimulationLoop(seed);
            SimulatedNode node = loop.CreateNode("race");
            string order = "";
            IActorRef judge = node.System.ActorOf(Probe.Of((_, message) => order += message), "judge");
            foreach (string name in new[] { "a", "b", "c" })
            {
                node.System.ActorOf(Probe.Of((_, _) => { }, _ => judge.Tell(name)), name);
            }

            loop.RunUntilQuiescent();
            orders.Add(order);
        }

        orders.Order(StringComparer.Ordinal).ShouldBe(["abc", "acb", "bac", "bca", "cab", "cba"]);
    }

    [Fact]
    public void Messages_from_one_sender_stay_in_order()
    {
        using var loop = new SimulationLoop(9);
        SimulatedNode node = loop.CreateNode("fifo");
        var seen = new List<object>();
        IActorRef probe = node.System.ActorOf(Probe.Of((_, message) => seen.Add(message)));
        for (int i = 0; i < 100; i++)
        {
            probe.Tell(i);
        }

        loop.RunUntilQuiescent();
        seen.ShouldBe(Enumerable.Range(0, 100).Cast<object>());
    }

    [Fact]
    public void A_message_from_another_thread_is_found_out()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("strict");
        int handled = 0;
        IActorRef probe = node.System.ActorOf(Probe.Of((_, _) => handled++), "target");
        loop.RunUntilQuiescent();

        var thread = new Thread(() => probe.Tell("smuggled")) { Name = "smuggler" };
        thread.Start();
        thread.Join();

        string message = Should.Throw<SimulationException>(loop.RunUntilQuiescent).Message;
        message.ShouldContain("smuggler");
        message.ShouldContain("/user/target");
        handled.ShouldBe(0);
    }

    [Fact]
    public void Another_thread_cannot_drive_the_loop()
    {
        using var loop = new SimulationLoop(1);
        Exception? refused = null;
        var thread = new Thread(() => refused = Record.Exception(loop.RunUntilQuiescent));
        thread.Start();
        thread.Join();
        refused.ShouldBeOfType<InvalidOperationException>();
    }

    [Fact]
    public void Awaits_and_continuations_of_actors_come_back_to_the_loop()
    {
        int thread = Environment.CurrentManagedThreadId;
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("async");
        var threads = new List<int>();
        var gate = new TaskCompletionSource();
        IActorRef awaiting = node.System.ActorOf(Props.Create(() => new Awaiting(gate.Task, threads)));
        awaiting.Tell("wait");
        awaiting.Tell("then");
        loop.RunUntilQuiescent();
        threads.ShouldBeEmpty();

        loop.After(TimeSpan.FromSeconds(1), gate.SetResult);
        loop.RunUntilQuiescent();

        threads.ShouldBe([thread, thread, thread]);
    }

    [Fact]
    public void The_thread_is_given_back_as_it_was()
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        Random random = Akka.Util.ThreadLocalRandom.Current;
        using (new SimulationLoop(1))
        {
            SynchronizationContext.Current.ShouldBeNull();
            Akka.Util.ThreadLocalRandom.Current.ShouldNotBe(random);
        }

        SynchronizationContext.Current.ShouldBe(before);
        Akka.Util.ThreadLocalRandom.Current.ShouldBe(random);
    }

    private sealed class Awaiting : ReceiveActor
    {
        public Awaiting(Task gate, List<int> threads) => ReceiveAsync<string>(async text =>
        {
            await gate;
            threads.Add(Environment.CurrentManagedThreadId);
            if (text == "wait")
            {
                _ = Task.Factory.StartNew(
                    () => threads.Add(Environment.CurrentManagedThreadId), default, TaskCreationOptions.None, TaskScheduler.Current);
            }
        });
    }
}
