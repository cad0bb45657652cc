using System.Collections.Immutable;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests;

/// <summary>However a job ends, it says why, returns every tensor, and the node takes the next one.</summary>
public sealed class EndingTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);
    private LocalTraining _node = null!;

    public async Task InitializeAsync() => _node = await LocalTraining.StartAsync(2);

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task A_finished_job_returns_every_tensor()
    {
        await TrainAsync(Jobs.Deep(3, "gpipe", 4, replicas: 3), Jobs.Points());
        ShouldHoldNothing();
    }

    [Fact]
    public async Task A_loss_that_is_not_finite_ends_the_job_with_the_layer_where_it_began()
    {
        var data = Jobs.Points();
        data.TrainFeatures[0][0] = 1e38f;
        var failed = (await TrainAsync(Jobs.Deep(rate: 1e5), data)).ShouldBeOfType<TrainingFailed>();
        failed.Step.ShouldBeGreaterThan(0);
        failed.Layer.ShouldBe("dense1");
        failed.Reason.ShouldContain("its output is not finite though its inputs are");
        ShouldHoldNothing();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_last_update_that_diverges_is_a_failure_with_and_without_a_test_set(bool hasTest)
    {
        var job = Jobs.Deep(rate: 3e38);
        job = job with { Training = job.Training with { Epochs = null, Steps = 1 } };
        var data = hasTest ? Jobs.Points() : Jobs.Points() with { TestFeatures = null, TestLabels = null };
        foreach (var point in data.TrainFeatures)
        {
            // Large enough for a gradient that such a rate makes infinite, small enough for a loss that is not.
            point[0] *= 1e4f;
        }

        var failed = (await TrainAsync(job, data)).ShouldBeOfType<TrainingFailed>();
        failed.Step.ShouldBe(1);
        failed.Reason.ShouldContain("diverged");
        ShouldHoldNothing();
    }

    [Fact]
    public async Task Whoever_watches_and_fails_ends_the_job_and_the_next_one_runs()
    {
        await Should.ThrowAsync<InvalidTimeZoneException>(() => TrainAsync(
            Jobs.Deep(2, "1f1b", 3, replicas: 2), Jobs.Points(), _ => throw new InvalidTimeZoneException()));
        ShouldHoldNothing();
        (await TrainAsync(Jobs.Deep(), Jobs.Points())).ShouldBeOfType<TrainingCompleted>();
    }

    [Fact]
    public async Task Data_that_are_not_finite_are_named()
    {
        var data = Jobs.Points();
        data.TrainFeatures[^1][1] = float.NaN;
        var failed = (await TrainAsync(Jobs.Deep(2, "1f1b", 2, replicas: 2), data)).ShouldBeOfType<TrainingFailed>();
        failed.Step.ShouldBeLessThanOrEqualTo(3);
        failed.Reason.ShouldContain("the data, is not finite");
        ShouldHoldNothing();
    }

    [Fact]
    public async Task An_exception_in_a_layer_is_tried_three_times_and_ends_the_job_with_its_name_and_the_step()
    {
        // The data readers would have refused this label: here it gets as far as the loss.
        var job = Jobs.Deep();
        var data = Jobs.Points();
        data.TrainLabels[17] = 99;
        var begun = new List<GenerationStarted>();
        var failed = (await TrainAsync(job, data, happened =>
        {
            if (happened is GenerationStarted generation)
            {
                begun.Add(generation);
            }
        })).ShouldBeOfType<TrainingFailed>();
        failed.Layer.ShouldBe("softmaxCrossEntropy");
        failed.Step.ShouldBeInRange(1, 3);
        failed.Reason.ShouldStartWith("ArgumentOutOfRangeException: ");

        // In one process the first generation is not told. Each of the others says what the one before has failed of.
        begun.Select(generation => generation.Generation).ShouldBe([2, 3]);
        begun.ShouldAllBe(generation => generation.Reason.StartsWith($"layer softmaxCrossEntropy failed at step {failed.Step}: ArgumentOutOfRangeException"));
        ShouldHoldNothing();
    }

    [Fact]
    public async Task A_cancelled_job_stops_at_a_step_and_the_next_one_runs()
    {
        using var cancellation = new CancellationTokenSource();
        var job = Jobs.Deep(2, "1f1b", 3, replicas: 2);
        job = job with { Training = job.Training with { Epochs = 1_000_000 } };
        var outcome = await TrainAsync(
            job,
            Jobs.Points(),
            happened =>
            {
                if (happened is StepDone { Step: 20 })
                {
                    cancellation.Cancel();
                }
            },
            cancellation: cancellation.Token);
        outcome.ShouldBeOfType<TrainingCancelled>().Step.ShouldBeInRange(20, 100_000);
        ShouldHoldNothing();
        (await TrainAsync(Jobs.Deep(), Jobs.Points())).ShouldBeOfType<TrainingCompleted>();
    }

    [Fact]
    public async Task A_job_whose_layers_cannot_be_made_fails_and_the_next_one_runs()
    {
        // The second layer's parameters are missing: the first's are there by then.
        var initial = ImmutableDictionary<string, float[]>.Empty
            .Add("dense1.weight", new float[32])
            .Add("dense1.bias", new float[16]);
        var failed = (await TrainAsync(Jobs.Deep(replicas: 2), Jobs.Points(), initial: initial)).ShouldBeOfType<TrainingFailed>();
        failed.Step.ShouldBe(0);
        failed.Reason.ShouldContain("dense2.weight");
        ShouldHoldNothing();
        (await TrainAsync(Jobs.Deep(), Jobs.Points())).ShouldBeOfType<TrainingCompleted>();
    }

    [Fact]
    public async Task A_finite_branch_beside_one_that_is_not_is_not_blamed()
    {
        // dense3 alone overflows; the sum also reads dense1, whose output is finite.
        var job = Jobs.Deep(microBatches: 2);
        var graph = Graph.Of(job.Model, job.Seed);
        var initial = graph.Nodes.SelectMany(node => node.Layer.Parameters.Slots.Select(slot => KeyValuePair.Create(
                $"{node.Name}.{slot.Name}", Enumerable.Repeat(node.Name == "dense3" ? 3e38f : 1, slot.Shape.Length).ToArray())))
            .ToImmutableDictionary();
        var failed = (await TrainAsync(job, Jobs.Points(), initial: initial)).ShouldBeOfType<TrainingFailed>();
        failed.Layer.ShouldBe("dense3");
        failed.Step.ShouldBe(1);
        ShouldHoldNothing();
    }

    private async Task<TrainingEvent> TrainAsync(
        TrainingJob job,
        PlainData data,
        Action<TrainingEvent>? observe = null,
        ImmutableDictionary<string, float[]>? initial = null,
        CancellationToken cancellation = default)
    {
        var run = new JobRun(
            "test",
            job,
            Graph.Of(job.Model, job.Seed),
            new DataSet(
                Examples.OfFloats(job.Model.Input, [.. data.TrainFeatures.SelectMany(example => example)], data.TrainLabels),
                data.TestFeatures is null
                    ? null
                    : Examples.OfFloats(job.Model.Input, [.. data.TestFeatures.SelectMany(example => example)], data.TestLabels!)),
            initial);
        using var result = await _node.RunAsync(run, observe ?? (_ => { }), cancellation).WaitAsync(_patience, CancellationToken.None);
        return result.Outcome;
    }

    private void ShouldHoldNothing()
    {
        _node.Pool.Outstanding.ShouldBe(0);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _node.Pool.Leaked.ShouldBe(0);
    }
}
