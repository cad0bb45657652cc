using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Jobs;

public class JobFileTests
{
    private static Activation Relu { get; } = new(ActivationFunction.Relu);
    private static Initializer Default { get; } = new(InitializerKind.Default);

    [Fact]
    public void Every_section_is_read()
    {
        var job = Valid(ContractJob.Text);

        job.ShouldBe(new TrainingJob
        {
            Name = "everything",
            Seed = 7,
            Data = new IdxData(
                new IdxFiles("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
                new IdxFiles("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"))
            { Scale = 0.00392156862745098 },
            Model = new Model(new Shape(784),
            [
                new ModelLayer("dense1", ["input"], new DenseKind(512, Relu, true, Default)),
                new ModelLayer("dense2", ["dense1"], new DenseKind(512, Relu, true, new(InitializerKind.HeNormal)), 0.5),
                new ModelLayer("sum1", ["dense1", "dense2"], new AddKind()),
                new ModelLayer("dropout1", ["sum1"], new DropoutKind(0.2)),
                new ModelLayer("dense3", ["dropout1"], new DenseKind(10, null, true, Default)),
            ]),
            Loss = LossKind.SoftmaxCrossEntropy,
            Optimizer = new SgdChoice { LearningRate = new ConstantRate(0.1), Momentum = 0.9 },
            Training = new TrainingPlan
            {
                BatchSize = 128,
                Epochs = 10,
                StopWhen = new StopRule { TestAccuracy = 0.99, TrainLoss = 0.001, Patience = 3 },
            },
            Parallelism = new Parallelism { Replicas = 2 },
            Checkpoints = new CheckpointPlan { EverySteps = 100 },
        });
    }

    [Fact]
    public void What_is_left_out_has_its_default()
    {
        var job = Valid("""
            name: small
            data: { format: spirals }
            model: { input: [2], layers: [{ dense: { units: 3 } }] }
            loss: softmaxCrossEntropy
            optimizer: { adamW: {} }
            training: { batchSize: 1, steps: 5 }
            """);

        job.Seed.ShouldBe(0);
        job.Data.ShouldBe(new SpiralsData(1000, 500, 3, 1.5, 0.1) { Scale = 1, Shuffle = true });
        job.Optimizer.ShouldBe(new AdamWChoice
        {
            LearningRate = new ConstantRate(0.001),
            Beta1 = 0.9,
            Beta2 = 0.999,
            Epsilon = 1e-8,
            WeightDecay = 0.01,
        });
        job.Training.ShouldBe(new TrainingPlan { BatchSize = 1, MicroBatches = 1, Steps = 5 });
        job.Parallelism.ShouldBe(new Parallelism());
        job.Checkpoints.ShouldBe(new CheckpointPlan { EverySteps = null, Keep = 2 });
    }

    [Fact]
    public void A_layer_without_name_is_called_by_its_kind_and_a_count_over_all_of_that_kind()
    {
        var model = Valid(WithLayers("""
            - dense: { units: 2 }
              name: first
            - relu
            - dense: { units: 2 }
            - leakyRelu
            - geluTanh: {}
            - relu
            - concat: {}
              inputs: [relu2, first, input]
            - dense: { units: 2 }
            """)).Model;

        model.Layers.Select(layer => layer.Name).ShouldBe(
            ["first", "relu1", "dense2", "leakyRelu1", "geluTanh1", "relu2", "concat1", "dense3"]);
        model.Layers[6].Inputs.ShouldBe(["relu2", "first", "input"]);
        model.Layers[7].Inputs.ShouldBe(["concat1"]);
    }

    [Theory]
    [InlineData("0.1", 0.1)]
    [InlineData("1", 1.0)]
    [InlineData("1e-3", 1e-3)]
    [InlineData(".5", 0.5)]
    [InlineData("+2.", 2.0)]
    [InlineData("0x10", 16.0)]
    [InlineData("{ constant: { value: 0.2 } }", 0.2)]
    public void A_learning_rate_is_a_number_of_the_core_schema(string text, double expected) =>
        Valid(WithRate(text)).Optimizer.LearningRate.ShouldBe(new ConstantRate(expected));

    [Fact]
    public void A_learning_rate_may_be_a_function_of_the_step()
    {
        Valid(WithRate("{ step: { from: 0.1, every: 100, factor: 0.5 } }"))
            .Optimizer.LearningRate.ShouldBe(new StepRate(0.1, 100, 0.5));
        Valid(WithRate("{ cosine: { from: 0.1, to: 0.01, warmupSteps: 7 } }"))
            .Optimizer.LearningRate.ShouldBe(new CosineRate(0.1, 0.01, 7));
        Valid(WithRate("{ cosine: { from: 0.1 } }")).Optimizer.LearningRate.ShouldBe(new CosineRate(0.1));
        Valid(WithRate("{ constant: { value: 0.1, warmupSteps: 9 } }"))
            .Optimizer.LearningRate.ShouldBe(new ConstantRate(0.1, 9));
    }

    [Theory]
    [InlineData("{ units: 2, activation: { leakyRelu: { slope: 0.2 } } }", 0.2)]
    [InlineData("{ units: 2, activation: { leakyRelu: {} } }", 0.01)]
    [InlineData("{ units: 2, activation: leakyRelu }", 0.01)]
    public void An_activation_may_have_its_option(string dense, double slope)
    {
        var kind = (DenseKind)Valid(WithLayers($"- dense: {dense}")).Model.Layers[0].Kind;

        kind.Activation.ShouldBe(new Activation(ActivationFunction.LeakyRelu, slope));
    }

    [Fact]
    public void An_initializer_may_have_its_deviation() =>
        ((DenseKind)Valid(WithLayers("- dense: { units: 2, initializer: { normal: { std: 0.02 } } }")).Model.Layers[0].Kind)
            .Initializer.ShouldBe(new Initializer(InitializerKind.Normal, 0.02));

    [Fact]
    public void Parameters_may_be_averaged_now_and_then()
    {
        var job = Valid(ContractJob.Text.Replace(
            "averaging: gradients",
            "averaging: { parameters: { every: 50, outer: { learningRate: 0.7, momentum: 0.5, nesterov: true }, innerState: reset } }",
            StringComparison.Ordinal));

        job.Parallelism.Averaging.ShouldBe(new ParameterAveraging(50, new OuterOptimizer(0.7, 0.5, true), InnerState.Reset));
    }

    [Theory]
    [InlineData("[784]")]
    [InlineData("[28, 28]")]
    [InlineData("[1, 28, 28]")]
    public void Digits_may_come_in_any_shape_of_their_size(string input) =>
        Valid($$"""
            name: digits
            data: { format: digits }
            model: { input: {{input}}, layers: [flatten, dense: { units: 10 }] }
            loss: softmaxCrossEntropy
            optimizer: { adam: {} }
            training: { batchSize: 8, epochs: 1 }
            """).Model.Input.Length.ShouldBe(784);

    [Fact]
    public void Json_is_read_as_what_it_is()
    {
        var json = "\uFEFF{\"name\":\"xor\",\r\n\t\"data\":{\"format\":\"xor\"},\"model\":{\"input\":[2],\"layers\":[\"relu\",{\"dense\":{\"units\":1}}]},"
            + "\"loss\":\"binaryCrossEntropy\",\"optimizer\":{\"sgd\":{\"learningRate\":1E-1}},\"training\":{\"batchSize\":4,\"steps\":9}}";

        Valid(json).Model.Layers.Length.ShouldBe(2);
    }

    [Theory]
    [InlineData("a/b/../c.gz")]
    [InlineData("./images 1.idx")]
    [InlineData("Zahlen-ü-数-😀.idx")]
    public void A_path_below_the_data_root_is_fine(string path) =>
        ((IdxData)Valid(ContractJob.Text.Replace("train-images-idx3-ubyte.gz", $"\"{path}\"", StringComparison.Ordinal)).Data)
            .Train.Features.ShouldBe(path);

    [Fact]
    public void A_file_must_be_UTF8_and_says_where_it_is_not()
    {
        byte[] bytes = [.. "name: x\nseed: "u8, 0xC3, 0x28];

        Only(JobFile.Parse("job.yaml", bytes)).ShouldBe("job.yaml:2:7 the file must be UTF-8 text, and byte 14 (0xC3) is not");
    }

    [Fact]
    public void A_file_may_have_a_megabyte_and_no_more()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            File.WriteAllText(path, ContractJob.Text.PadRight(JobFile.MaxLength, '\n'));
            JobFile.Read(path).IsValid.ShouldBeTrue();
            File.AppendAllText(path, "\n");
            Only(JobFile.Read(path)).ShouldBe($"{path}:1:1 a job file may have at most 1048576 bytes");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_file_that_is_not_there_is_no_error_of_the_job() =>
        Should.Throw<FileNotFoundException>(() => JobFile.Read(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())));

    private static TrainingJob Valid(string text)
    {
        var result = JobFile.Parse("job.yaml", text);
        result.Errors.ShouldBeEmpty();
        return result.Job!;
    }

    private static string Only(JobFileResult result) => result.Errors.ShouldHaveSingleItem().ToString();

    private static string WithRate(string rate) => $$"""
        name: rates
        data: { format: xor }
        model: { input: [2], layers: [{ dense: { units: 2 } }] }
        loss: softmaxCrossEntropy
        optimizer: { sgd: { learningRate: {{rate}} } }
        training: { batchSize: 1, epochs: 1 }
        """;

    private static string WithLayers(string layers) => $$"""
        name: layers
        data: { format: xor }
        loss: softmaxCrossEntropy
        optimizer: { sgd: { learningRate: 1 } }
        training: { batchSize: 1, epochs: 1 }
        model:
          input: [2]
          layers:

        """ + string.Join('\n', layers.Split('\n').Select(line => "    " + line)) + "\n";
}
