using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Actors.Tests.Pipeline;

/// <summary>What meters say of a pipeline whose every pass takes one unit of a clock that the test sets.</summary>
public sealed class StageMeterTests
{
    private const int Steps = 20;

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(8, 1)]
    [InlineData(3, 4)]
    [InlineData(4, 16)]
    [InlineData(1, 5)]
    public void A_stage_is_idle_for_as_long_as_the_formula_says(int stages, int microBatches)
    {
        foreach (var kind in Enum.GetValues<ScheduleKind>())
        {
            foreach (var meter in Measure(Schedule.Of(kind, stages, microBatches), stall: 0))
            {
                meter.Steps.ShouldBe(Steps - 1);
                meter.Bubble.ShouldBe(Bubble.Of(stages, microBatches), 1e-9);
                meter.LastBubble.ShouldBe(meter.Bubble, 1e-9);
            }
        }
    }

    [Fact]
    public void The_last_step_is_told_for_itself()
    {
        // The last of the measured steps stands still for six units after it: of 8 + 6 there are 4 of work in each stage.
        foreach (var meter in Measure(Schedule.Of(ScheduleKind.GPipe, 3, 2), stall: 6))
        {
            meter.LastBubble.ShouldBe(1 - (4.0 / 14), 1e-9);
            meter.Bubble.ShouldBe(((Bubble.Of(3, 2) * (Steps - 2)) + meter.LastBubble) / (Steps - 1), 1e-9);
        }
    }

    [Fact]
    public void An_evaluation_between_two_steps_is_no_bubble()
    {
        var clock = new SetClock();
        var meter = new StageMeter(clock);
        for (var step = 1; step <= 3; step++)
        {
            meter.Begin(step);
            clock.HighResMonotonicClock += TimeSpan.FromSeconds(1);
            meter.End();
            meter.Interrupt();
            clock.HighResMonotonicClock += TimeSpan.FromSeconds(5);
        }

        (meter.Steps, meter.Bubble, meter.LastBubble).ShouldBe((0, 0, 0));
        meter.Busy.ShouldBe(TimeSpan.FromSeconds(3));
    }

    // A step begins when the first stage has done all of the one before: so do layers, which update in between.
    private static StageMeter[] Measure(Schedule schedule, int stall)
    {
        var clocks = Enumerable.Range(0, schedule.Stages).Select(_ => new SetClock()).ToArray();
        var meters = clocks.Select(clock => new StageMeter(clock)).ToArray();
        var begins = 0;
        for (var step = 1; step <= Steps; step++)
        {
            begins += step == Steps ? stall : 0;
            var ends = new Dictionary<(int Stage, StageOperation), int>();
            for (var stage = 0; stage < schedule.Stages; stage++)
            {
                EndOf(stage, schedule[stage].Length - 1);
                foreach (var operation in schedule[stage])
                {
                    clocks[stage].HighResMonotonicClock = TimeSpan.FromMilliseconds(ends[(stage, operation)] - 1);
                    meters[stage].Begin(step);
                    clocks[stage].HighResMonotonicClock = TimeSpan.FromMilliseconds(ends[(stage, operation)]);
                    meters[stage].End();
                }
            }

            begins = ends.Where(end => end.Key.Stage == 0).Max(end => end.Value);

            // After the one before it in its stage, and after what it needs of its neighbour.
            int EndOf(int stage, int place)
            {
                var operation = schedule[stage][place];
                if (!ends.TryGetValue((stage, operation), out var end))
                {
                    var own = place == 0 ? begins : EndOf(stage, place - 1);
                    var neighbour = operation.IsForward ? stage - 1 : stage + 1;
                    var other = neighbour < 0 || neighbour == schedule.Stages
                        ? 0
                        : EndOf(neighbour, schedule[neighbour].IndexOf(operation));
                    ends[(stage, operation)] = end = 1 + Math.Max(own, other);
                }

                return end;
            }
        }

        return meters;
    }
}
