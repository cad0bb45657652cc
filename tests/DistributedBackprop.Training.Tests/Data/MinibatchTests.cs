using CsCheck;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Data;

public class MinibatchTests
{
    [Fact]
    public void An_order_is_the_permutation_of_the_obvious_loop() =>
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Long[0, 1L << 40], Gen.Int[1, 1100]).Sample(
            (seed, epoch, examples) =>
            {
                var expected = Enumerable.Range(0, examples).ToArray();
                var random = new Philox(seed, "shuffle", "");
                for (var i = examples - 1; i >= 1; i--)
                {
                    var j = (int)(((ulong)random.Word(i, 0, epoch) * (ulong)(i + 1)) >> 32);
                    (expected[i], expected[j]) = (expected[j], expected[i]);
                }

                var order = new EpochOrder(seed, examples, shuffle: true).Of(epoch);
                order.ShouldBe(expected);
                order.Order().ShouldBe(Enumerable.Range(0, examples));
            },
            iter: 300);

    [Fact]
    public void Epochs_and_seeds_differ_and_a_file_order_stays()
    {
        var first = new EpochOrder(1, 100, shuffle: true).Of(0);
        new EpochOrder(1, 100, shuffle: true).Of(1).ShouldNotBe(first);
        new EpochOrder(2, 100, shuffle: true).Of(0).ShouldNotBe(first);
        new EpochOrder(1, 100, shuffle: false).Of(3).ShouldBe(Enumerable.Range(0, 100));
        Should.Throw<ArgumentException>(() => new EpochOrder(1, 100, true).Fill(0, new int[99]));
        Should.Throw<ArgumentOutOfRangeException>(() => new EpochOrder(1, 100, true).Of(-1));
    }

    [Fact]
    public void Slices_cover_everything_once_in_order_the_first_ones_longer() =>
        Gen.Select(Gen.Int[0, 1000], Gen.Int[1, 40], Gen.Int[1, 9]).Sample((examples, replicas, microBatches) =>
        {
            var slices = Enumerable.Range(0, replicas).Select(r => Slices.OfReplica(examples, replicas, r)).ToArray();
            ShouldTile(slices, new Slice(0, examples));
            foreach (var slice in slices)
            {
                ShouldTile([.. Enumerable.Range(0, microBatches).Select(m => Slices.OfMicroBatch(slice, microBatches, m))], slice);
            }
        });

    [Fact]
    public void A_slice_that_is_none_is_refused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => Slices.OfReplica(5, 0, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => Slices.OfReplica(5, 2, 2));
        Should.Throw<ArgumentOutOfRangeException>(() => Slices.OfReplica(5, 2, -1));
        Should.Throw<ArgumentOutOfRangeException>(() => Slices.OfReplica(-1, 2, 0));
    }

    [Fact]
    public void The_steps_of_an_epoch_take_every_example_once() =>
        Gen.Select(Gen.Int[1, 500], Gen.OneOf(Gen.Int[1, 600], Gen.Const(int.MaxValue)), Gen.Int[1, 4]).Sample(
            (examples, batchSize, epochs) =>
            {
                var plan = new StepPlan(new TrainingPlan { BatchSize = batchSize, Epochs = epochs }, examples);
                var step = 0L;
                for (var epoch = 0; epoch < epochs; epoch++)
                {
                    for (var taken = 0; taken < examples;)
                    {
                        var count = Math.Min(batchSize, examples - taken);
                        plan.At(++step).ShouldBe(new Minibatch(epoch, taken, count));
                        taken += count;
                        plan.IsEpochEnd(step).ShouldBe(taken == examples);
                        plan.IsLast(step).ShouldBe(taken == examples && epoch == epochs - 1);
                    }
                }

                plan.TotalSteps.ShouldBe(step);
                plan.StepsPerEpoch.ShouldBe((int)(step / epochs));
            });

    [Fact]
    public void A_plan_that_counts_steps_may_end_within_an_epoch()
    {
        var plan = new StepPlan(new TrainingPlan { BatchSize = 3, Steps = 6 }, 10);
        plan.StepsPerEpoch.ShouldBe(4);
        plan.TotalSteps.ShouldBe(6);
        plan.At(4).ShouldBe(new Minibatch(0, 9, 1));
        plan.At(6).ShouldBe(new Minibatch(1, 3, 3));
        plan.IsLast(6).ShouldBeTrue();
        plan.IsEpochEnd(6).ShouldBeFalse();
        plan.EpochOf(8).ShouldBe(1);
    }

    [Fact]
    public void A_plan_that_is_none_is_refused()
    {
        Should.Throw<ArgumentException>(() => new StepPlan(new TrainingPlan { BatchSize = 1 }, 5));
        Should.Throw<ArgumentException>(() => new StepPlan(new TrainingPlan { BatchSize = 1, Steps = 1, Epochs = 1 }, 5));
        Should.Throw<ArgumentOutOfRangeException>(() => new StepPlan(new TrainingPlan { BatchSize = 0, Steps = 1 }, 5));
        Should.Throw<ArgumentOutOfRangeException>(() => new StepPlan(new TrainingPlan { BatchSize = 1, Steps = 0 }, 5));
        Should.Throw<ArgumentOutOfRangeException>(() => new StepPlan(new TrainingPlan { BatchSize = 1, Steps = 1 }, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => new StepPlan(new TrainingPlan { BatchSize = 1, Steps = 1 }, 1).At(0));
    }

    private static void ShouldTile(Slice[] parts, Slice whole)
    {
        var place = whole.Start;
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i].Start.ShouldBe(place);
            parts[i].Length.ShouldBe((whole.Length / parts.Length) + (i < whole.Length % parts.Length ? 1 : 0));
            place = parts[i].End;
        }

        place.ShouldBe(whole.End);
    }
}
