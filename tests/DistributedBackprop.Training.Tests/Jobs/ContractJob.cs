namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>A job with every section of the job file in it.</summary>
internal static class ContractJob
{
    public const string Text = """
        name: everything                   # [A-Za-z][A-Za-z0-9_-]*
        seed: 7
        data:
          format: idx
          train: { features: train-images-idx3-ubyte.gz, labels: train-labels-idx1-ubyte.gz }
          test:  { features: t10k-images-idx3-ubyte.gz,  labels: t10k-labels-idx1-ubyte.gz }   # optional
          scale: 0.00392156862745098
          shuffle: true
        model:
          input: [784]
          layers:
            - dense: { units: 512, activation: relu }                    # named dense1
            - dense: { units: 512, activation: relu, bias: true, initializer: heNormal }   # dense2
              learningRateFactor: 0.5
            - add: {}
              name: sum1
              inputs: [dense1, dense2]
            - dropout: { rate: 0.2 }
            - dense: { units: 10 }
        loss: softmaxCrossEntropy
        optimizer: { sgd: { learningRate: 0.1, momentum: 0.9, nesterov: false, weightDecay: 0 } }
        training:
          batchSize: 128
          microBatches: 1
          epochs: 10
          stopWhen: { testAccuracy: 0.99, trainLoss: 0.001, patience: 3 }
        parallelism:
          replicas: 2
          stages: 1
          schedule: 1f1b
          averaging: gradients
        checkpoints: { everySteps: 100, keep: 2 }
        """;
}
