using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>How the replicas of a job learn together.</summary>
public interface IPlainAveraging
{
    /// <summary>The parameters to evaluate and export.</summary>
    float[][] Parameters { get; }

    /// <summary>The parameters that a replica trains with.</summary>
    float[][] Own(int replica);

    /// <summary>One step of all replicas.</summary>
    /// <returns>The sum of the losses of the step's examples, before the update.</returns>
    double Step(PlainBatch batch);

    /// <summary>The same without the round that may follow it.</summary>
    double Learn(PlainBatch batch);

    /// <summary>What is left to do at the end of the job.</summary>
    void Finish();
}

/// <summary>
/// Gradient averaging: the replicas' gradients are added as a tree in every step, so one set of parameters does.
/// </summary>
public sealed class PlainGradientAveraging(TrainingJob job, PlainGraph graph, float[][] parameters, long totalSteps)
    : IPlainAveraging
{
    private readonly PlainOptimizer _optimizer = new(job.Optimizer, graph);

    /// <inheritdoc/>
    public float[][] Parameters => parameters;

    /// <summary>The loss and the joined gradient of a minibatch, without an update.</summary>
    public (double Loss, float[][] Gradient) Gradient(PlainBatch batch)
    {
        var examples = batch.Labels.Length;
        var shares = PlainBatches.Cut(new PlainSlice(0, examples), job.Parallelism.Replicas)
            .Select(slice => PlainReplica.Work(job, graph, parameters, batch, slice, examples))
            .ToArray();
        var gradient = Enumerable.Range(0, parameters.Length)
            .Select(p => PlainTree.Sum([.. shares.Select(s => s.Gradient[p])]))
            .ToArray();
        return (PlainTree.Sum([.. shares.Select(s => s.Loss)]), gradient);
    }

    /// <inheritdoc/>
    public float[][] Own(int replica) => parameters;

    /// <inheritdoc/>
    public double Step(PlainBatch batch) => Learn(batch);

    /// <inheritdoc/>
    public double Learn(PlainBatch batch)
    {
        var (loss, gradient) = Gradient(batch);
        _optimizer.Update(parameters, gradient, PlainRates.At(job.Optimizer.LearningRate, batch.Step, totalSteps));
        return loss;
    }

    /// <inheritdoc/>
    public void Finish()
    {
    }
}
