using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>What a checkpoint keeps is what the future depends on: a job that goes on without any part of it ends elsewhere.</summary>
public sealed class ForgettingTests
{
    // Neither the end of an epoch nor a round of averaging.
    private const long PausesAt = 5;

    private static readonly PlainData _points = Jobs.Points();

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 2 + (2 * 4))]
    public async Task No_vector_can_be_forgotten(bool averagesParameters, int vectorsOfLayer)
    {
        var deep = Jobs.Deep(stages: 2, microBatches: 2, replicas: 2);
        var job = deep with
        {
            Optimizer = new AdamChoice { LearningRate = deep.Optimizer.LearningRate },
            Training = deep.Training with { Epochs = 4 },
            Parallelism = deep.Parallelism with
            {
                Averaging = averagesParameters
                    ? new ParameterAveraging(4, new OuterOptimizer(0.7, 0.5))
                    : new GradientAveraging(),
            },
        };
        var expected = PlainInterpreter.Run(job, _points).WeightsSha256;
        var data = LinkedExpectation.ToDataSet(job, _points);
        await using var linked = await LinkedNodes.StartAsync([1, 1]);
        var paused = await linked.TrainStepwiseAsync(job, data, linked.Nodes, 1, (step, training) =>
        {
            if (step == PausesAt)
            {
                training.Actor.Tell(new PauseJob());
            }

            return Task.CompletedTask;
        });
        paused.Outcome.ShouldBeOfType<TrainingPaused>();
        using var start = paused.GoesOnFrom!;
        (await HashWithoutAsync(linked, job, data, start, null)).ShouldBe(expected);
        var vectors = start.State!.Layout.Vectors.ToList();
        (vectors.Count % vectorsOfLayer).ShouldBe(0);
        foreach (var vector in vectors)
        {
            (await HashWithoutAsync(linked, job, data, start, vector)).ShouldNotBe(expected, $"{vector}");
        }
    }

    private static async Task<string?> HashWithoutAsync(
        LinkedNodes linked, TrainingJob job, DataSet data, JobStart start, StateVector? forgotten)
    {
        var pool = new TensorPool();
        var state = new TrainingState(start.State!.Layout, pool);
        foreach (var vector in start.State.Layout.Vectors)
        {
            var kept = start.State[vector];
            var copy = Tensor.Rent(pool, kept.Shape, kept.ElementType);
            kept.Bytes.CopyTo(copy.Bytes);
            if (vector == forgotten)
            {
                copy.Bytes.Span.Clear();
            }

            state.Add(vector, 0, copy);
        }

        var run = await linked.TrainStepwiseAsync(
            job, data, linked.Nodes, 4096, (_, _) => Task.CompletedTask, start with { State = state });
        return run.WeightsSha256;
    }
}
