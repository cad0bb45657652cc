using Akka.Actor;

namespace DistributedBackprop.Simulation.Tests;

public sealed class VirtualTimeTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Fact]
    public void An_hour_of_ticks_passes_at_once()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("clock");
        var times = new List<DateTimeOffset>();
        node.System.ActorOf(Probe.Of(
            (probe, _) => times.Add(probe.Its.System.Scheduler.Now),
            probe => probe.Timers.StartPeriodicTimer("tick", "tick", _second)));

        loop.RunFor(TimeSpan.FromHours(1));

        loop.Now.ShouldBe(TimeSpan.FromHours(1));
        loop.UtcNow.ShouldBe(new DateTimeOffset(2000, 1, 1, 1, 0, 0, TimeSpan.Zero));
        times.Count.ShouldBeInRange(3599, 3600);
        times.Zip(times.Skip(1), (tick, next) => next - tick - _second).ShouldAllBe(error => Math.Abs(error.TotalMilliseconds) < 1);
    }

    [Fact]
    public void A_cancelled_timer_neither_fires_nor_moves_the_clock()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("clock");
        int fired = 0;
        ICancelable cancelled = node.System.Scheduler.Advanced.ScheduleOnceCancelable(TimeSpan.FromHours(5), () => fired++);
        node.System.Scheduler.Advanced.ScheduleOnce(_second, () =>
        {
            fired++;
            cancelled.Cancel();
        });

        loop.RunUntilQuiescent();

        fired.ShouldBe(1);
        loop.Now.ShouldBeGreaterThanOrEqualTo(_second);
        loop.Now.ShouldBeLessThan(2 * _second);
    }

    [Fact]
    public void A_repeated_action_that_throws_is_logged_and_not_repeated()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("clock");
        int calls = 0;
        node.System.Scheduler.Advanced.ScheduleRepeatedly(_second, _second, () =>
        {
            if (++calls == 3)
            {
                throw new InvalidOperationException("enough");
            }
        });

        loop.RunUntilQuiescent();

        calls.ShouldBe(3);
        node.Errors.ShouldHaveSingleItem().Cause!.Message.ShouldBe("enough");
    }

    [Fact]
    public void A_receive_timeout_comes_in_virtual_time()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("clock");
        TimeSpan? came = null;
        node.System.ActorOf(Probe.Of(
            (probe, message) =>
            {
                message.ShouldBeOfType<ReceiveTimeout>();
                came = loop.Now;
                probe.Its.SetReceiveTimeout(null);
            },
            probe => probe.Its.SetReceiveTimeout(TimeSpan.FromMinutes(10))));

        loop.RunUntilQuiescent();

        came!.Value.ShouldBeInRange(TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(10.01));
    }

    [Fact]
    public void The_time_provider_of_a_node_is_virtual_and_its_timers_die_with_it()
    {
        using var loop = new SimulationLoop(1);
        SimulatedNode node = loop.CreateNode("clock");
        int fired = 0;
        using ITimer timer = node.TimeProvider.CreateTimer(_ => fired++, null, _second, _second);
        long before = node.TimeProvider.GetTimestamp();

        loop.RunFor(10.5 * _second);
        node.Kill();
        loop.RunFor(10 * _second);

        fired.ShouldBe(10);
        node.TimeProvider.GetElapsedTime(before).ShouldBe(20.5 * _second);
        node.TimeProvider.GetUtcNow().ShouldBe(loop.UtcNow);
    }

    [Fact]
    public void Timers_due_together_fire_in_the_order_they_were_set()
    {
        using var loop = new SimulationLoop(1);
        var order = new List<int>();
        for (int i = 0; i < 20; i++)
        {
            int number = i;
            loop.After(_second, () => order.Add(number));
        }

        loop.After(TimeSpan.Zero, () => order.Add(-1));
        loop.After(_second, () => order.Add(-2)).Dispose();
        loop.RunUntilQuiescent();

        order.ShouldBe(Enumerable.Range(-1, 21));
    }
}
