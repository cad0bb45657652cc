using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Explain;

/// <summary>
/// What the plain interpreter says of one more step of the first replica, over a few examples, after some of a job.
/// </summary>
/// <param name="Outputs">Of every layer: <c>[layer][example]</c>.</param>
/// <param name="Deltas">∂loss/∂output of every layer: <c>[layer][example]</c>.</param>
/// <param name="LossSum">The chain of their losses.</param>
/// <param name="Gradients">A vector for each layer.</param>
/// <param name="Before">Parameters before the update, a vector for each layer.</param>
/// <param name="After">And after it.</param>
internal sealed record PlainExample(
    float[][][] Outputs, float[][][] Deltas, double LossSum, float[][] Gradients, float[][] Before, float[][] After)
{
    /// <param name="job">The job.</param>
    /// <param name="data">Its examples.</param>
    /// <param name="steps">Steps before.</param>
    /// <param name="isEnd">Whether the job ends with them.</param>
    /// <param name="first">The first example.</param>
    /// <param name="count">How many.</param>
    public static PlainExample Of(TrainingJob job, PlainData data, int steps, bool isEnd, int first, int count)
    {
        var graph = new PlainGraph(job);
        var total = PlainBatches.TotalSteps(job.Training, data.TrainLabels.Length);
        var averaging = PlainInterpreter.Averaging(job, graph, graph.Initial(job.Seed, null), total);
        Train(job, data, averaging, steps);
        if (isEnd)
        {
            averaging.Finish();
        }

        var before = averaging.Own(0).Select(values => values.ToArray()).ToArray();
        var batch = new PlainBatch(
            steps + 1, data.TrainFeatures[first..(first + count)], data.TrainLabels[first..(first + count)]);
        var (pass, loss, gradient) = (new PlainPass(graph, before, batch.Features, new PlainPlace(true, steps + 1, 0)), 0.0, graph.Zeros());
        var outputDeltas = new float[count][];
        for (var n = 0; n < count; n++)
        {
            loss = PlainLosses.Add(job.Loss, loss, pass.Output(n), batch.Labels[n]);
            outputDeltas[n] = PlainLosses.Delta(job.Loss, pass.Output(n), batch.Labels[n], count);
        }

        var deltas = pass.Backward(outputDeltas, gradient);
        averaging.Learn(batch);
        return new PlainExample(
            [.. graph.Layers.Select((_, layer) => Enumerable.Range(0, count).Select(n => pass.Output(layer, n)).ToArray())],
            deltas,
            loss,
            ByLayer(graph, gradient),
            ByLayer(graph, before),
            ByLayer(graph, averaging.Own(0)));
    }

    private static void Train(TrainingJob job, PlainData data, IPlainAveraging averaging, int steps)
    {
        var perEpoch = PlainBatches.StepsOfEpoch(data.TrainLabels.Length, job.Training.BatchSize);
        for (var step = 0; step < steps; step++)
        {
            var order = PlainBatches.Order(job, data.TrainLabels.Length, step / perEpoch);
            var chosen = order.Skip(step % perEpoch * job.Training.BatchSize).Take(job.Training.BatchSize).ToList();
            averaging.Step(new PlainBatch(
                step + 1, [.. chosen.Select(i => data.TrainFeatures[i])], [.. chosen.Select(i => data.TrainLabels[i])]));
        }
    }

    private static float[][] ByLayer(PlainGraph graph, float[][] values) =>
        [.. graph.Layers.Select((_, layer) => graph.Of(layer, values).ToArray().SelectMany(parameter => parameter).ToArray())];
}
