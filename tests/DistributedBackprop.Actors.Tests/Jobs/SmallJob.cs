using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Tests.Jobs;

/// <summary>A job of two replicas, with its data.</summary>
internal static class SmallJob
{
    public static JobRun Run { get; } = Of(JobFile.Parse("job.yaml", """
        name: small
        data: { format: xor, train: { examples: 40 }, test: { examples: 10 } }
        model: { input: [2], layers: [ dense: { units: 4, activation: tanh }, dense: { units: 1 } ] }
        loss: binaryCrossEntropy
        optimizer: { sgd: { learningRate: 0.1 } }
        training: { batchSize: 10, epochs: 2 }
        parallelism: { replicas: 2 }
        """).Job.ShouldNotBeNull());

    private static JobRun Of(TrainingJob job)
    {
        var graph = Graph.Of(job.Model, job.Seed);
        return new JobRun("small-1", job, graph, DataLoader.Load(job, graph.Output, "."), null);
    }
}
