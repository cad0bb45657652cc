using CsCheck;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Training.Tests.Pipeline;

public sealed class BubbleTests
{
    [Fact]
    public void Every_stage_of_both_schedules_idles_for_the_part_of_the_step_that_the_formula_says() =>
        Gen.Select(Gen.Enum<ScheduleKind>(), Gen.Int[1, 12], Gen.Int[1, 20]).Sample((kind, stages, microBatches) =>
        {
            var length = DryRun.Of(Schedule.Of(kind, stages, microBatches)).Length;
            // A stage is at work for one unit in each forward and each backward.
            var idle = length - (2 * microBatches);
            Bubble.Of(stages, microBatches).ShouldBe((double)idle / length, 1e-15);
        });

    [Fact]
    public void One_stage_has_no_bubble() => Bubble.Of(1, 7).ShouldBe(0);

    [Theory]
    [InlineData(4, 1, 0.75)]
    [InlineData(4, 12, 0.2)]
    [InlineData(8, 9, 0.4375)]
    public void Examples(int stages, int microBatches, double expected) => Bubble.Of(stages, microBatches).ShouldBe(expected);

    [Theory]
    [InlineData(0, 1, "stages")]
    [InlineData(1, 0, "microBatches")]
    public void Arguments_are_checked(int stages, int microBatches, string named) =>
        Should.Throw<ArgumentOutOfRangeException>(() => Bubble.Of(stages, microBatches)).ParamName.ShouldBe(named);
}
