using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>What one replica computes of a step: its slice, micro-batch by micro-batch.</summary>
public static class PlainReplica
{
    /// <summary>Goes through a replica's slice of a minibatch, forward and back.</summary>
    /// <param name="job">The job.</param>
    /// <param name="graph">Its layers.</param>
    /// <param name="parameters">All parameters.</param>
    /// <param name="batch">The step's whole minibatch.</param>
    /// <param name="slice">The replica's part of it; may be empty.</param>
    /// <param name="meanOver">The examples that the loss is a mean over.</param>
    public static PlainShare Work(
        TrainingJob job, PlainGraph graph, float[][] parameters, PlainBatch batch, PlainSlice slice, int meanOver)
    {
        var loss = 0.0;
        var gradient = graph.Zeros();
        var deltas = new List<float[][][]>();
        foreach (var (start, count) in PlainBatches.Cut(slice, job.Training.MicroBatches))
        {
            var examples = batch.Features[start..(start + count)];
            var pass = new PlainPass(graph, parameters, examples, new PlainPlace(true, batch.Step, start));
            var outputDeltas = new float[count][];
            for (var n = 0; n < count; n++)
            {
                var label = batch.Labels[start + n];
                loss = PlainLosses.Add(job.Loss, loss, pass.Output(n), label);
                outputDeltas[n] = PlainLosses.Delta(job.Loss, pass.Output(n), label, meanOver);
            }

            deltas.Add(pass.Backward(outputDeltas, gradient));
        }

        return new PlainShare(loss, gradient, deltas);
    }
}

/// <summary>What a replica adds to a step.</summary>
/// <param name="Loss">The chain of its examples' losses, not divided.</param>
/// <param name="Gradient">Its gradient, <c>[parameter][element]</c>.</param>
/// <param name="Deltas">∂loss/∂output of every layer: <c>[micro-batch][layer][example]</c>.</param>
public sealed record PlainShare(double Loss, float[][] Gradient, IReadOnlyList<float[][][]> Deltas);
