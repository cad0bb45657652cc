using CsCheck;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Training.Tests.Checkpoints;

/// <summary>No layer passes a step whose state it is asked for before it knows, and nothing waits without need.</summary>
public class CheckpointScheduleTests
{
    [Fact]
    public void Whoever_is_slow_no_step_is_granted_that_would_pass_one_asked_for_in_ignorance() =>
        Gen.Select(Gen.Long[1, 40], Gen.Long[1, 400], Gen.Int[0, 3].Array[2000]).Sample(
            (every, total, choices) =>
            {
                var schedule = new CheckpointSchedule(every, total);
                var (granted, known, asked) = (0L, true, new List<long>());
                foreach (var choice in choices)
                {
                    switch (choice)
                    {
                        case 0:
                            granted = Math.Min(Math.Min(granted + 3, total), schedule.GrantLimit);
                            break;
                        case 1 when schedule.TryAsk(granted, out var step):
                            (step % every).ShouldBe(0);
                            step.ShouldBeInRange(Math.Max(1, granted), total - 1);
                            asked.LastOrDefault().ShouldBeLessThan(step);
                            asked.Add(step);
                            known = false;
                            break;
                        case 2 when schedule.InFlight is { } inFlight:
                            schedule.OnKnown(inFlight);
                            known = true;
                            break;
                        case 3 when schedule.InFlight is { } inFlight && granted >= inFlight:
                            schedule.OnDone(inFlight);
                            break;
                    }

                    if (!known)
                    {
                        granted.ShouldBeLessThanOrEqualTo(asked[^1]);
                    }
                }
            },
            iter: 300);

    [Fact]
    public void One_that_falls_due_while_another_is_in_flight_is_skipped()
    {
        var schedule = new CheckpointSchedule(10, 1000);
        schedule.TryAsk(0, out var first).ShouldBeTrue();
        first.ShouldBe(10);
        schedule.GrantLimit.ShouldBe(10);
        schedule.OnKnown(10);
        schedule.GrantLimit.ShouldBe(long.MaxValue);
        schedule.TryAsk(35, out _).ShouldBeFalse();
        schedule.OnDone(10);
        schedule.TryAsk(35, out var next).ShouldBeTrue();
        next.ShouldBe(40);
    }

    [Fact]
    public void A_job_that_goes_on_does_not_ask_for_what_it_has()
    {
        var schedule = new CheckpointSchedule(10, 1000);
        schedule.Restart(40);
        schedule.TryAsk(40, out var step).ShouldBeTrue();
        step.ShouldBe(50);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(4)]
    public void The_last_step_needs_none(long total)
    {
        var schedule = new CheckpointSchedule(10, total);
        schedule.TryAsk(0, out _).ShouldBeFalse();
        schedule.GrantLimit.ShouldBe(long.MaxValue);
    }

    [Fact]
    public void Less_than_a_step_apart_they_cannot_be() =>
        Should.Throw<ArgumentOutOfRangeException>(() => new CheckpointSchedule(0, 10));
}
