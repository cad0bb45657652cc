namespace DistributedBackprop.Simulation.Clusters;

/// <summary>The job that is simulated where none is named: small, with two replicas of two stages, and a checkpoint every five steps.</summary>
public static class DefaultJob
{
    /// <summary>Its job file.</summary>
    public const string Text = """
        name: simulated
        seed: 11
        data: { format: xor, train: { examples: 100 }, test: { examples: 21 } }
        model:
          input: [2]
          layers:
            - dense: { units: 7, activation: tanh }
            - dropout: { rate: 0.2 }
            - dense: { units: 2 }
        loss: softmaxCrossEntropy
        optimizer: { adam: { learningRate: 0.02 } }
        training: { batchSize: 13, microBatches: 3, epochs: 5 }
        parallelism: { replicas: 2, stages: 2, schedule: 1f1b, averaging: gradients }
        checkpoints: { everySteps: 5 }
        """;

    /// <summary>The job.</summary>
    public static SimulatedJob Load() => SimulatedJob.Parse(Text);
}
