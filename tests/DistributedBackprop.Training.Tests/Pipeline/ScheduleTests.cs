using CsCheck;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Training.Tests.Pipeline;

public sealed class ScheduleTests
{
    private static readonly Gen<(ScheduleKind Kind, int Stages, int MicroBatches)> _schedules = Gen.Select(
        Gen.Enum<ScheduleKind>(), Gen.Int[1, 12], Gen.Int[1, 20]);

    [Fact]
    public void No_schedule_deadlocks_and_each_holds_as_many_micro_batches_as_it_says() =>
        _schedules.Sample(x =>
        {
            var run = DryRun.Of(Schedule.Of(x.Kind, x.Stages, x.MicroBatches));
            for (var stage = 0; stage < x.Stages; stage++)
            {
                run.PeakInFlight[stage].ShouldBe(
                    x.Kind == ScheduleKind.GPipe ? x.MicroBatches : Math.Min(x.Stages - stage, x.MicroBatches));
            }
        });

    [Fact]
    public void Each_stage_goes_forward_and_backward_once_with_each_micro_batch_in_ascending_order() =>
        _schedules.Sample(x =>
        {
            var schedule = Schedule.Of(x.Kind, x.Stages, x.MicroBatches);
            for (var stage = 0; stage < x.Stages; stage++)
            {
                var ascending = Enumerable.Range(0, x.MicroBatches);
                schedule[stage].Where(operation => operation.IsForward).Select(operation => operation.MicroBatch).ShouldBe(ascending);
                schedule[stage].Where(operation => !operation.IsForward).Select(operation => operation.MicroBatch).ShouldBe(ascending);
            }
        });

    [Fact]
    public void Both_schedules_take_the_time_of_the_formula() =>
        _schedules.Sample(x =>
            // (m + p − 1) units forward and as many backward: the bubble is (p − 1) / (m + p − 1).
            DryRun.Of(Schedule.Of(x.Kind, x.Stages, x.MicroBatches)).Length
                .ShouldBe(2 * (x.MicroBatches + x.Stages - 1)));

    [Fact]
    public void The_grid_of_gpipe_reads_as_the_paper_draws_it() =>
        DryRun.Of(Schedule.Of(ScheduleKind.GPipe, 3, 3)).ToString().ShouldBe(
            """
             F0 F1 F2 .  .  .  .  B0 B1 B2
             .  F0 F1 F2 .  .  B0 B1 B2 . 
             .  .  F0 F1 F2 B0 B1 B2 .  . 

            """.ReplaceLineEndings("\n"));

    [Fact]
    public void The_grid_of_1f1b_reads_as_the_paper_draws_it() =>
        DryRun.Of(Schedule.Of(ScheduleKind.OneForwardOneBackward, 3, 4)).ToString().ShouldBe(
            """
             F0 F1 F2 .  .  B0 F3 B1 .  B2 .  B3
             .  F0 F1 .  B0 F2 B1 F3 B2 .  B3 . 
             .  .  F0 B0 F1 B1 F2 B2 F3 B3 .  . 

            """.ReplaceLineEndings("\n"));

    [Fact]
    public void A_schedule_that_stops_is_shown_with_the_place_marked()
    {
        StageOperation f0 = new(true, 0), b0 = new(false, 0), f1 = new(true, 1), b1 = new(false, 1);
        var failure = Should.Throw<InvalidOperationException>(() => DryRun.Of([[f0, b0, f1, b1], [f0, f1, b0, b1]]));
        failure.Message.ShouldContain("stage 0 waits for ever to do B0");
        failure.Message.ShouldContain(">F0 .");
    }

    [Fact]
    public void Backwards_that_do_not_ascend_are_refused()
    {
        StageOperation f0 = new(true, 0), b0 = new(false, 0), f1 = new(true, 1), b1 = new(false, 1);
        Should.Throw<InvalidOperationException>(() => DryRun.Of([[f0, f1, b1, b0]])).Message.ShouldContain("must ascend");
    }
}
