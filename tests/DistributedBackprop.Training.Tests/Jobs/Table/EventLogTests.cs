using CsCheck;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Training.Tests.Jobs.Table;

/// <summary>Readers of a log see every event once, in order, and are told what they have missed.</summary>
public sealed class EventLogTests
{
    // True: a step; false: some other event.
    private static readonly Gen<bool[]> _events = Gen.Int[0, 5].Select(number => number > 0).Array[0, 200];

    [Fact]
    public void A_reader_that_keeps_up_misses_nothing() => Gen.Select(_events, Gen.Int[1, 7], Gen.Int[1, 5]).Sample((steps, most, every) =>
    {
        var log = new EventLog();
        var read = new List<NumberedEvent>();
        var expected = new List<long>();
        var (step, after) = (0L, 0L);
        foreach (var isStep in steps)
        {
            log.Append(isStep ? Step(++step) : new CheckpointSaved(step, 0));
            if (!isStep || step % every == 0)
            {
                expected.Add(log.Last);
            }
        }

        for (var batch = log.Read(after, most, every); !batch.Events.IsEmpty; batch = log.Read(after, most, every))
        {
            batch.Events.Length.ShouldBeLessThanOrEqualTo(most);
            read.AddRange(batch.Events);
            after = batch.Next;
        }

        read.Select(numbered => numbered.Number).ShouldBe(expected);
        read.ShouldAllBe(numbered => numbered.Skipped == 0);
    });

    [Fact]
    public void What_fell_out_is_counted() => Gen.Select(_events, Gen.Int[1, 7]).Sample((steps, most) =>
    {
        var log = new EventLog(stepsKept: 5, othersKept: 3);
        var (step, after, read) = (0L, 0L, 0L);
        foreach (var isStep in steps)
        {
            log.Append(isStep ? Step(++step) : new CheckpointSaved(step, 0));
        }

        for (var batch = log.Read(after, most, 1); !batch.Events.IsEmpty; batch = log.Read(after, most, 1))
        {
            read += batch.Events.Sum(numbered => 1 + numbered.Skipped);
            after = batch.Next;
        }

        read.ShouldBe(log.Last);
    });

    [Fact]
    public void Progress_has_the_rate_since_the_one_before()
    {
        var log = new EventLog();
        for (var step = 1; step <= 4; step++)
        {
            log.Append(new StepDone(step, 1, 1, 1, step <= 2 ? 100 : 300));
        }

        var told = log.Read(0, 10, 2).Events.Select(numbered => ((StepDone)numbered.Event).SamplesPerSecond);
        told.ShouldBe([100, 300], tolerance: 1e-9);

        // Half of the examples at each rate: the harmonic mean.
        ((StepDone)log.Read(0, 10, 4).Events.Single().Event).SamplesPerSecond.ShouldBe(150, 1e-9);
    }

    [Fact]
    public void The_end_is_told_with_the_last_event_and_ever_after()
    {
        var log = new EventLog();
        log.Append(Step(1));
        log.Read(0, 10, 1).IsEnd.ShouldBeFalse();
        log.Append(new TrainingCancelled("a", 1));
        log.Read(0, 1, 1).IsEnd.ShouldBeFalse();
        log.Read(0, 2, 1).IsEnd.ShouldBeTrue();
        log.Read(2, 1, 1).IsEnd.ShouldBeTrue();
        log.Read(2, 1, 1).Events.ShouldBeEmpty();
    }

    [Fact]
    public void What_is_known_of_an_earlier_log_comes_first_under_its_own_numbers()
    {
        var log = new EventLog(stepsKept: 2, start: 100);
        for (var step = 1; step <= 4; step++)
        {
            log.Append(Step(step));
        }

        // The second has no number, the last one is of this log.
        log.Recall([(7, Epoch(1)), (0, Epoch(2)), (30, Epoch(3)), (104, Epoch(4))]);
        var all = log.Read(0, 10, 1);
        all.Events.Select(numbered => (numbered.Number, numbered.Skipped)).ShouldBe([(7, 0), (8, 0), (30, 0), (103, 2), (104, 0)]);
        all.Events.Take(3).Select(numbered => ((EpochDone)numbered.Event).Epoch).ShouldBe([1, 2, 3]);
        log.Read(8, 1, 1).Events.Single().Number.ShouldBe(30);
        log.Read(8, 1, 1).Next.ShouldBe(30);
        log.Read(30, 1, 1).Events.Single().ShouldBe(new NumberedEvent(103, Step(3), Skipped: 2));
        log.Read(99, 1, 1).Events.Single().Number.ShouldBe(103);
        new EventLog(start: 100).Read(7, 1, 1).Next.ShouldBe(100);
    }

    private static EpochDone Epoch(int epoch) => new(epoch, 10 * epoch, 0.5, null, null);

    private static StepDone Step(long step) => new(step, 1, 0.5, 0.5, 1000);
}
