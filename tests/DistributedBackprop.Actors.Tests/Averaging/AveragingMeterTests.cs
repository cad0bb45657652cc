using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Tests.Pipeline;

namespace DistributedBackprop.Actors.Tests.Averaging;

/// <summary>Averaging is hidden where an earlier layer of the same replica computes meanwhile, and only there.</summary>
public sealed class AveragingMeterTests
{
    private readonly SetClock _clock = new();

    [Fact]
    public void An_earlier_layer_of_the_same_replica_overlaps_and_nothing_else_does()
    {
        var meter = new AveragingMeter(_clock);
        meter.Backward(0, 2);
        meter.Begin(0, 2, 1);
        meter.Backward(1, 1);
        meter.Backward(0, 2);
        meter.Backward(0, 3);
        meter.Overlaps.ShouldBe(0, "another replica's, the layer itself, and a later one");
        meter.Backward(0, 1);
        meter.Backward(0, 0);
        meter.Overlaps.ShouldBe(2);
        meter.Begin(0, 1, 1);
        meter.End(0, 2);
        meter.Backward(0, 1);
        meter.Overlaps.ShouldBe(2, "the later one is done");
        meter.Backward(0, 0);
        meter.End(0, 1);
        meter.Backward(0, 0);
        meter.Overlaps.ShouldBe(3);
    }

    [Fact]
    public void Its_time_is_that_in_which_any_layer_averages_and_its_rounds_are_steps()
    {
        var meter = new AveragingMeter(_clock);
        for (var step = 1; step <= 3; step++)
        {
            At(100 * step);
            meter.Begin(0, 2, step);
            At((100 * step) + 10);
            meter.Begin(0, 1, step);
            meter.Begin(1, 1, step);
            At((100 * step) + 30);
            meter.End(0, 2);
            meter.End(1, 1);
            At((100 * step) + 40);
            meter.End(0, 1);
        }

        meter.Rounds.ShouldBe(3);
        meter.Time.ShouldBe(TimeSpan.FromMilliseconds(120));
    }

    private void At(int milliseconds) => _clock.HighResMonotonicClock = TimeSpan.FromMilliseconds(milliseconds);
}
