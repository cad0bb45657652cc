using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>The test set in file order, cut over the replicas like a minibatch, dropout off.</summary>
public static class PlainEvaluation
{
    /// <summary>The mean loss and the share of examples classified correctly.</summary>
    public static (double Loss, double Accuracy) Evaluate(
        TrainingJob job, PlainGraph graph, float[][] parameters, float[][] features, int[] labels)
    {
        var losses = new double[job.Parallelism.Replicas];
        var correct = 0L;
        var slices = PlainBatches.Cut(new PlainSlice(0, labels.Length), job.Parallelism.Replicas);
        for (var r = 0; r < slices.Length; r++)
        {
            for (var n = slices[r].Start; n < slices[r].Start + slices[r].Count; n++)
            {
                var output = new PlainPass(graph, parameters, [features[n]], new PlainPlace(false, 0, n)).Output(0);
                losses[r] = PlainLosses.Add(job.Loss, losses[r], output, labels[n]);
                correct += PlainLosses.IsCorrect(job.Loss, output, labels[n]) ? 1 : 0;
            }
        }

        var divisor = PlainLosses.Divisor(job.Loss, labels.Length, graph.Output.Length);
        return (PlainTree.Sum(losses) / divisor, (double)correct / labels.Length);
    }
}
