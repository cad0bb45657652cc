using System.Collections.Immutable;
using System.Globalization;

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

    // Some take all threads of four nodes, and some leave room for another.
    private static readonly string[] _shapes =
    [
        "{ replicas: 2, stages: 2, schedule: 1f1b, averaging: gradients }",
        "{ replicas: 2, stages: 1, averaging: gradients }",
        "{ replicas: 1, stages: 2, schedule: gpipe }",
    ];

    /// <summary>The job.</summary>
    public static SimulatedJob Load() => SimulatedJob.Parse(Text);

    /// <summary>The reference job of crash sweeps: the same with twelve steps in two epochs, and a checkpoint every two.</summary>
    public static SimulatedJob LoadShort() => SimulatedJob.Parse(Text
        .Replace("examples: 100", "examples: 78", StringComparison.Ordinal)
        .Replace("examples: 21", "examples: 5", StringComparison.Ordinal)
        .Replace("epochs: 5", "epochs: 2", StringComparison.Ordinal)
        .Replace("everySteps: 5", "everySteps: 2", StringComparison.Ordinal));

    /// <summary>Several jobs for the queue of a service: smaller ones, of different shapes.</summary>
    /// <param name="count">How many, ≥ 1.</param>
    public static ImmutableArray<SimulatedJob> LoadQueue(int count) => [.. Enumerable.Range(1, count).Select(Queued)];

    private static SimulatedJob Queued(int number) => SimulatedJob.Parse(string.Create(CultureInfo.InvariantCulture, $$"""
        name: queued-{{number}}
        seed: {{number}}
        data: { format: xor, train: { examples: 40 }, test: { examples: 9 } }
        model:
          input: [2]
          layers:
            - dense: { units: 5, activation: tanh }
            - dense: { units: 2 }
        loss: softmaxCrossEntropy
        optimizer: { adam: { learningRate: 0.02 } }
        training: { batchSize: 10, microBatches: 2, epochs: 4 }
        parallelism: {{_shapes[(number - 1) % _shapes.Length]}}
        checkpoints: { everySteps: 3 }
        """));
}
