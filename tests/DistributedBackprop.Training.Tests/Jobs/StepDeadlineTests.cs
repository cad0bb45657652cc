using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>When a step is overdue, and when a failure is final.</summary>
public class StepDeadlineTests
{
    [Fact]
    public void Quick_steps_are_waited_for_two_seconds_and_slow_ones_ten_times_their_median()
    {
        var deadline = new StepDeadline();
        deadline.Limit.ShouldBe(StepDeadline.OfFirst);
        deadline.OnSteps(4, TimeSpan.FromMilliseconds(4));
        deadline.Limit.ShouldBe(StepDeadline.Least);
        for (var step = 0; step < 40; step++)
        {
            // One step that is much longer than the others does not count.
            deadline.OnSteps(1, TimeSpan.FromSeconds(step == 20 ? 1000 : 1));
        }

        deadline.Limit.ShouldBe(TimeSpan.FromSeconds(10));
        BeatsUntilOverdue(deadline, 1).ShouldBe(41);
        deadline.OnSign();
        BeatsUntilOverdue(deadline, 3).ShouldBe(121);
    }

    [Fact]
    public void Whoever_was_stopped_himself_accuses_nobody()
    {
        var deadline = new StepDeadline();
        deadline.OnSteps(1, TimeSpan.FromMilliseconds(1));
        deadline.OnBeat(TimeSpan.FromHours(1)).ShouldBeFalse();
        deadline.Silence.ShouldBe(2 * StepDeadline.Beat);
    }

    [Fact]
    public void The_same_failure_at_the_same_step_is_final_the_third_time()
    {
        var failures = new RepeatedFailures();
        failures.IsLast("dense1", 5, "InvalidOperationException: at 0x1", 5).ShouldBeFalse();
        failures.IsLast("dense2", 5, "InvalidOperationException: at 0x1", 5).ShouldBeFalse();
        failures.IsLast("dense1", 5, "InvalidOperationException: at 0x2", 5).ShouldBeFalse();
        failures.IsLast("dense1", 6, "InvalidOperationException: at 0x3", 5).ShouldBeFalse();
        failures.IsLast("dense1", 5, "ArgumentException: at 0x4", 5).ShouldBeFalse();
        failures.IsLast("dense1", 5, "InvalidOperationException: at 0x5", 5).ShouldBeTrue();
    }

    [Fact]
    public void Ever_other_failures_are_final_where_nothing_comes_between()
    {
        var failures = new RepeatedFailures();
        for (var number = 1; number < RepeatedFailures.MostWithoutProgress; number++)
        {
            failures.IsLast($"dense{number}", 5, "A: b", 5).ShouldBeFalse();
        }

        failures.IsLast("other", 6, "A: b", 6).ShouldBeFalse();
        for (var number = 2; number < RepeatedFailures.MostWithoutProgress; number++)
        {
            failures.IsLast($"dense{number}", 6, "A: b", 6).ShouldBeFalse();
        }

        failures.IsLast("another", 6, "A: b", 6).ShouldBeTrue();
    }

    private static int BeatsUntilOverdue(StepDeadline deadline, long asLongAs)
    {
        for (var beats = 1; ; beats++)
        {
            if (deadline.OnBeat(StepDeadline.Beat, asLongAs))
            {
                return beats;
            }
        }
    }
}
