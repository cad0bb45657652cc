using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests;

/// <summary>Jobs written as users write them, with small data of their own.</summary>
internal static class Jobs
{
    /// <summary>Five dense layers with a skip, for stages and micro-batches.</summary>
    public static TrainingJob Deep(int stages = 1, string schedule = "1f1b", int microBatches = 1, int replicas = 1, double rate = 0.1) =>
        Parse($$"""
            name: deep
            seed: 5
            data: { format: xor, train: { examples: 90 }, test: { examples: 30 } }
            model:
              input: [2]
              layers:
                - dense: { units: 16, activation: relu }
                - dense: { units: 16, activation: tanh }
                - dense: { units: 16, activation: relu }
                - add: {}
                  inputs: [dense1, dense3]
                - dense: { units: 8, activation: relu }
                - dense: { units: 2 }
            loss: softmaxCrossEntropy
            optimizer: { sgd: { learningRate: {{FormattableString.Invariant($"{rate}")}}, momentum: 0.9 } }
            training: { batchSize: 30, microBatches: {{microBatches}}, epochs: 2 }
            parallelism: { replicas: {{replicas}}, stages: {{stages}}, schedule: {{schedule}} }
            """);

    /// <summary>Thirty steps in ten epochs, with momentum, dropout, a patience that is counted, and checkpoints now and then.</summary>
    /// <param name="parallelism">What stands behind <c>parallelism:</c>.</param>
    /// <param name="checkpointEvery">Steps from one checkpoint to the next.</param>
    public static TrainingJob Durable(string parallelism, int checkpointEvery) => Parse($$"""
        name: durable
        seed: 5
        data: { format: xor, train: { examples: 90 }, test: { examples: 30 } }
        model:
          input: [2]
          layers:
            - dense: { units: 160, activation: relu }
            - dropout: { rate: 0.1 }
            - dense: { units: 160, activation: relu }
            - dense: { units: 160, activation: relu }
            - dense: { units: 2 }
        loss: softmaxCrossEntropy
        optimizer: { adam: { learningRate: 0.01 } }
        training: { batchSize: 30, epochs: 10, stopWhen: { patience: 9 } }
        parallelism: {{parallelism}}
        checkpoints: { everySteps: {{checkpointEvery}}, keep: 2 }
        """);

    /// <summary>Ninety points to train on and thirty to judge on.</summary>
    public static PlainData Points()
    {
        var random = new PlainRandom(1, "points", "");
        float[][] features = [.. Enumerable.Range(0, 120).Select(example =>
            new[] { random.Uniform(0, example, 0), random.Uniform(1, example, 0) })];
        int[] labels = [.. features.Select(point => (point[0] > 0.5) != (point[1] > 0.5) ? 1 : 0)];
        return new PlainData(features[..90], labels[..90], features[90..], labels[90..]);
    }

    private static TrainingJob Parse(string text)
    {
        var result = JobFile.Parse("job.yaml", text);
        result.Errors.ShouldBeEmpty();
        return result.Job!;
    }
}
