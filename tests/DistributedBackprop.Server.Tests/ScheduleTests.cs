using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Server.Tests;

/// <summary>However a job is cut and ordered, the bits are the same; and it was really cut and ordered so.</summary>
public sealed class ScheduleTests(LocalNodes nodes) : IClassFixture<LocalNodes>
{
    [Fact]
    public async Task Stages_schedules_micro_batches_and_threads_leave_the_bits_as_they_are()
    {
        var hashes = new HashSet<string>();
        foreach (var schedule in new[] { "gpipe", "1f1b" })
        {
            foreach (var (stages, microBatches, threads) in new[] { (1, 1, 1), (2, 2, 2), (3, 3, 4), (6, 4, 1), (1, 5, 4), (3, 1, 2) })
            {
                var observed = await nodes.TrainAsync(Jobs.Deep(stages, schedule, microBatches), Jobs.Points(), threads);
                hashes.Add(observed.Completed.WeightsSha256);
            }
        }

        hashes.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("gpipe", 3, 5)]
    [InlineData("1f1b", 3, 5)]
    [InlineData("gpipe", 2, 4)]
    [InlineData("1f1b", 6, 4)]
    [InlineData("1f1b", 1, 3)]
    public async Task Each_stage_holds_as_many_micro_batches_as_its_schedule_says(string schedule, int stages, int microBatches)
    {
        var job = Jobs.Deep(stages, schedule, microBatches);
        var observed = await nodes.TrainAsync(job, Jobs.Points(), 2);
        var graph = Training.ChainRule.Graph.Of(job.Model, job.Seed);
        var stageOf = StageCut.Of([.. graph.Nodes.Select(node => node.Layer.WorkPerExample)], stages);
        observed.PeakInFlight.ShouldBe(stageOf.Select(stage =>
            schedule == "gpipe" ? microBatches : Math.Min(stages - stage, microBatches)));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task Replicas_that_average_gradients_are_one_replica_within_rounding(int replicas)
    {
        var one = await nodes.TrainAsync(Jobs.Deep(), Jobs.Points(), 1);
        var many = await nodes.TrainAsync(Jobs.Deep(replicas: replicas), Jobs.Points(), 2);
        many.Completed.WeightsSha256.ShouldNotBe(one.Completed.WeightsSha256);
        foreach (var (left, right) in one.Layers.Zip(many.Layers))
        {
            for (var i = 0; i < left.Length; i++)
            {
                right[i].ShouldBe(left[i], 1e-4);
            }
        }
    }

    [Fact]
    public async Task Replicas_have_the_same_bits_on_any_threads()
    {
        var hashes = new HashSet<string>();
        foreach (var threads in new[] { 1, 2, 4, 2, 4 })
        {
            var observed = await nodes.TrainAsync(Jobs.Deep(2, "1f1b", 2, replicas: 5), Jobs.Points(), threads);
            hashes.Add(observed.Completed.WeightsSha256);
        }

        hashes.Count.ShouldBe(1);
    }
}
