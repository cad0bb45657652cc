using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>Each case changes one line of a valid job and lists what is then said.</summary>
public class JobFileErrorsTests
{
    // Line numbers matter here: 1 name … 10 keep.
    private const string Job = """
        name: base
        seed: 0
        data: { format: digits, train: { examples: 100 }, test: { examples: 10 } }
        model:
          input: [784]
          layers:
            - dense: { units: 20, activation: relu }
            - dense: { units: 20 }
            - relu
            - dense: { units: 10 }
        loss: softmaxCrossEntropy
        optimizer: { sgd: { learningRate: 0.1 } }
        training: { batchSize: 16, epochs: 2 }
        parallelism: { replicas: 1 }
        checkpoints: { keep: 2 }
        """;

    [Fact]
    public void The_base_is_valid() => JobFile.Parse("job.yaml", Job).Errors.ShouldBeEmpty();

    [Theory]
    [InlineData(1, "name: 7up", "1:7 name must be a letter, then letters, digits, '_' or '-' (was '7up')")]
    [InlineData(1, "name: true", "1:7 name must be text: put it in quotes (was true)")]
    [InlineData(1, "name: 12", "1:7 name must be text: put it in quotes (was 12)")]
    [InlineData(1, "name:", "1:6 name must be text (was empty)")]
    [InlineData(1, "name: [a]", "1:7 name must be text (was a list)")]
    [InlineData(1, "title: x", "1:1 a job needs name", "1:1 unknown key 'title' in a job (allowed: name, seed, data, model, loss, optimizer, training, parallelism, checkpoints)")]
    [InlineData(1, "Name: x", "1:1 a job needs name", "1:1 unknown key 'Name' in a job (allowed: name, seed, data, model, loss, optimizer, training, parallelism, checkpoints); did you mean 'name'?")]
    [InlineData(2, "seed: -1", "2:7 seed must be at least 0 (was -1)")]
    [InlineData(2, "seed: 9223372036854775808", "2:7 seed must be at most 9223372036854775807 (was 9223372036854775808)")]
    [InlineData(2, "seed: 1.5", "2:7 seed must be an integer (was 1.5)")]
    [InlineData(2, "seed: '1'", "2:7 seed must be an integer (was '1')")]
    [InlineData(2, "seed: 1_000", "2:7 seed must be an integer (was '1_000')")]
    [InlineData(2, "losses: {}", "2:1 losses is not supported yet")]
    [InlineData(11, "loss: softmaxCrossEntopy", "11:7 loss must be one of softmaxCrossEntropy, meanSquaredError, binaryCrossEntropy (was 'softmaxCrossEntopy'); did you mean 'softmaxCrossEntropy'?")]
    [InlineData(11, "loss: {}", "11:7 loss must be one of softmaxCrossEntropy, meanSquaredError, binaryCrossEntropy (was an empty mapping)")]
    [InlineData(13, "training: { batchSize: 0, epochs: 2 }", "13:24 batchSize must be at least 1 (was 0)")]
    [InlineData(13, "training: { batchSize: 3000000000, epochs: 2 }", "13:24 batchSize must be at most 2147483647 (was 3000000000)")]
    [InlineData(13, "training: { batchSize: 99999999999999999999, epochs: 2 }", "13:24 batchSize must be at most 2147483647 (was 99999999999999999999)")]
    [InlineData(13, "training: { epochs: 2 }", "13:11 training needs batchSize")]
    [InlineData(13, "training: { batchSize: 1 }", "13:11 training needs one of epochs, steps")]
    [InlineData(13, "training: { batchSize: 1, epochs: 2, steps: 3 }", "13:45 training must have only one of epochs and steps (has both)")]
    [InlineData(13, "training: { batchSize: 1, epochs: 2, clip: { norm: 1 } }", "13:38 clip is not supported yet")]
    [InlineData(13, "training: 16", "13:11 training must be a mapping with batchSize, microBatches, epochs, steps, stopWhen (was 16)")]
    [InlineData(13, "training: { batchSize: 1, epochs: 2, stopWhen: { testAccuracy: 99 } }", "13:64 testAccuracy must be from 0 to 1 (was 99)")]
    [InlineData(13, "training: { batchSize: 1, epochs: 2, stopWhen: { trainLoss: .nan } }", "13:61 trainLoss must be a finite float32 (was .nan)")]
    [InlineData(13, "training: { batchSize: 1, epochs: 2, stopWhen: { patience: 0 } }", "13:60 patience must be at least 1 (was 0)")]
    [InlineData(14, "parallelism: { stages: 5 }", "14:24 stages must be from 1 to 4, the number of layers (was 5)")]
    [InlineData(14, "parallelism: { replicas: 0 }", "14:26 replicas must be from 1 to 1024 (was 0)")]
    [InlineData(14, "parallelism: { replicas: 1000000 }", "14:26 replicas must be from 1 to 1024 (was 1000000)")]
    [InlineData(13, "training: { batchSize: 16, epochs: 2, microBatches: 1000000000 }", "13:53 microBatches must be from 1 to 4096 (was 1000000000)")]
    [InlineData(3, "data: { format: digits, train: { examples: 2000000000 } }", "3:44 examples must be from 1 to 10000000 (was 2000000000)")]
    [InlineData(7, "    - dense: { units: 1000000, activation: relu }", "7:7 dense1 must have at most 469762048 numbers in its parameters, as many as fit into one tensor (was 785000000)")]
    [InlineData(8, "    - dense: { units: 23000000 }", "8:7 dense2 must have at most 469762048 numbers in its parameters, as many as fit into one tensor (was 483000000)")]
    [InlineData(14, "parallelism: { schedule: 1f1f }", "14:26 schedule must be one of gpipe, 1f1b (was '1f1f'); did you mean '1f1b'?")]
    [InlineData(14, "parallelism: { averaging: parameters }", "14:27 averaging must be gradients or a mapping with parameters (was 'parameters')")]
    [InlineData(14, "parallelism: { averaging: { parameters: {} } }", "14:41 parameters needs every")]
    [InlineData(14, "parallelism: { averaging: { parameters: { every: 0, innerState: lose } } }", "14:50 every must be at least 1 (was 0)", "14:65 innerState must be one of keep, average, reset (was 'lose')")]
    [InlineData(14, "parallelism: { averaging: { parameters: { every: 1, outer: { nesterov: true } } } }", "14:72 nesterov: true needs a momentum greater than 0 (was 0)")]
    [InlineData(15, "checkpoints: { everySteps: 0, keep: 0 }", "15:28 everySteps must be at least 1 (was 0)", "15:37 keep must be at least 1 (was 0)")]
    [InlineData(15, "checkpoints:", "15:13 checkpoints must be a mapping with everySteps, keep (was empty)")]
    public void A_wrong_value_is_told_with_what_is_allowed(int line, string text, params string[] errors) =>
        Check(line, text, errors);

    [Theory]
    [InlineData("{ sgd: {} }", "12:19 sgd needs learningRate")]
    [InlineData("{ sgd: { learningRate: -1 } }", "12:35 learningRate must be at least 0 (was -1)")]
    [InlineData("{ sgd: { learningRate: 1e39 } }", "12:35 learningRate must be a finite float32 (was 1e39)")]
    [InlineData("{ sgd: { learningRate: fast } }", "12:35 learningRate must be a number or a mapping with one of step, cosine, constant (was 'fast')")]
    [InlineData("{ sgd: { learningRate: { step: { from: 1, every: 0, factor: 0 } } } }", "12:61 every must be at least 1 (was 0)", "12:72 factor must be greater than 0 in float32 (was 0)")]
    [InlineData("{ sgd: { learningRate: { cosine: { to: 1 } } } }", "12:45 cosine needs from")]
    [InlineData("{ sgd: { learningRate: { constant: { value: 1, warmupSteps: -1 } } } }", "12:72 warmupSteps must be at least 0 (was -1)")]
    [InlineData("{ sgd: { learningRate: { linear: {} } } }", "12:37 unknown key 'linear' in learningRate (allowed: one of step, cosine, constant)")]
    [InlineData("{ sgd: { learningRate: 1, nesterov: true } }", "12:48 nesterov: true needs a momentum greater than 0 (was 0)")]
    [InlineData("{ sgd: { learningRate: 1, nesterov: yes } }", "12:48 nesterov must be true or false (was 'yes')")]
    [InlineData("{ sgd: { learningRate: 1, momentum: 1 } }", "12:48 momentum must be at least 0 and below 1 (was 1)")]
    [InlineData("{ sgd: { learningrate: 1 } }", "12:19 sgd needs learningRate", "12:21 unknown key 'learningrate' in sgd (allowed: learningRate, momentum, nesterov, weightDecay); did you mean 'learningRate'?")]
    [InlineData("{ adam: { epsilon: 1e-60 } }", "12:31 epsilon must be greater than 0 in float32 (was 1e-60)")]
    [InlineData("{ adam: {}, sgd: { learningRate: 1 } }", "12:24 optimizer must be only one of adam and sgd")]
    [InlineData("{ adma: {} }", "12:14 unknown key 'adma' in optimizer (allowed: one of sgd, adam, adamW); did you mean 'adam'?")]
    [InlineData("{ lamb: {} }", "12:14 lamb is not supported yet")]
    [InlineData("{}", "12:12 optimizer needs one of sgd, adam, adamW")]
    [InlineData("adam", "12:12 optimizer must be a mapping with one of sgd, adam, adamW (was 'adam')")]
    public void An_optimizer_is_told_what_is_wrong_with_it(string optimizer, params string[] errors) =>
        Check(12, $"optimizer: {optimizer}", errors);

    [Theory]
    [InlineData("{ format: idx }", "3:7 data of format idx needs train", 0)]
    [InlineData("{ format: idx, train: { features: a } }", "3:29 train needs labels", 0)]
    [InlineData("{ format: idx, train: { features: /etc/passwd, labels: b } }", "3:41 features must be a path below the data root, not an absolute one (was '/etc/passwd')", 0)]
    [InlineData("{ format: idx, train: { features: 'C:\\a', labels: b } }", "3:41 features must be a path below the data root, with / between folders (was 'C:\\a')", 0)]
    [InlineData("{ format: idx, train: { features: 'C:a', labels: b } }", "3:41 features must be a path below the data root, not an absolute one (was 'C:a')", 0)]
    [InlineData("{ format: idx, train: { features: a/../../b, labels: b } }", "3:41 features must be a path below the data root, not climb out of it by '..' (was 'a/../../b')", 0)]
    [InlineData("{ format: idx, train: { features: a/, labels: b } }", "3:41 features must be a path below the data root that names a file (was 'a/')", 0)]
    [InlineData("{ format: idx, train: { features: \"a\\0\", labels: b } }", "3:41 features must be a path below the data root, without control characters (was 'a?')", 0)]
    [InlineData("{ format: parquet }", "3:17 format parquet is not supported yet", 0)]
    [InlineData("{ format: digit }", "3:17 format must be one of idx, digits, spirals, xor (was 'digit'); did you mean 'digits'?", 0)]
    [InlineData("{ scale: 2 }", "3:7 data needs format, one of idx, digits, spirals, xor", 0)]
    [InlineData("{ format: digits, classes: 10 }", "3:25 unknown key 'classes' in data of format digits (allowed: format, train, test, scale, shuffle, noise)", 0)]
    [InlineData("{ format: digits, train: { examples: 0 } }", "3:44 examples must be from 1 to 10000000 (was 0)", 0)]
    [InlineData("{ format: digits, train: 100 }", "3:32 train must be a mapping with examples (was 100)", 0)]
    [InlineData("{ format: digits, noise: 2 }", "3:32 noise must be from 0 to 1 (was 2)", 0)]
    [InlineData("{ format: digits, scale: 0 }", "3:32 scale must be other than 0 in float32 (was 0)", 0)]
    [InlineData("{ format: spirals, classes: 1 }", "3:35 classes must be from 2 to 100 (was 1)", 0)]
    [InlineData("{ format: spirals, turns: 0 }", "3:33 turns must be greater than 0 and at most 100 (was 0)", 0)]
    [InlineData("{ format: xor }", "5:10 input must be [2], the coordinates of a point (was [784])", 1)]
    public void Data_are_told_what_is_wrong_with_them(string data, string error, int line) =>
        Check(3, $"data: {data}", [error]).ShouldBe(line == 0 ? 3 : 5);

    [Theory]
    [InlineData("- dence: { units: 3 }", "10:7 unknown key 'dence' in a layer (allowed: one of dense, dropout, flatten, add, concat, relu, leakyRelu, sigmoid, tanh, gelu, geluTanh, softmax, beside it name, inputs, learningRateFactor); did you mean 'dense'?")]
    [InlineData("- rleu", "10:7 a layer must be one of dense, dropout, flatten, add, concat, relu, leakyRelu, sigmoid, tanh, gelu, geluTanh, softmax (was 'rleu'); did you mean 'relu'?")]
    [InlineData("- conv2d: { filters: 3 }", "10:7 conv2d is not supported yet")]
    [InlineData("- attention", "10:7 attention is not supported yet")]
    [InlineData("- 7", "10:7 a layer must be a kind, or a mapping with a kind (was 7)")]
    [InlineData("- { dense: { units: 10 }, freeze: true }", "10:31 freeze is not supported yet")]
    [InlineData("- { dense: { units: 10 }, relu: {} }", "10:31 a layer must be only one of dense and relu")]
    [InlineData("- { name: x }", "10:7 a layer needs one of dense, dropout, flatten, add, concat, relu, leakyRelu, sigmoid, tanh, gelu, geluTanh, softmax")]
    [InlineData("- dense", "10:7 dense needs units")]
    [InlineData("- dense: { units: 10, activation: { relu: {} } }", "10:41 unknown key 'relu' in activation (allowed: leakyRelu)")]
    [InlineData("- dense: { units: 10, activation: swish }", "10:39 activation must be one of relu, leakyRelu, sigmoid, tanh, gelu, geluTanh, softmax (was 'swish')")]
    [InlineData("- dense: { units: 10, initializer: normal }", "10:40 initializer normal needs its std: { normal: { std: 0.02 } }")]
    [InlineData("- dense: { units: 10, initializer: { normal: {} } }", "10:50 normal needs std")]
    [InlineData("- relu: { slope: 1 }", "10:15 unknown key 'slope' in relu (it has no options)")]
    [InlineData("- add:", "10:11 add must be {}: it has no options (was empty)")]
    [InlineData("- dropout: { rate: 1 }", "10:24 rate must be at least 0 and below 1 (was 1)")]
    [InlineData("- { dense: { units: 10 }, name: input }", "10:37 name must not be 'input': that is the example itself")]
    [InlineData("- { dense: { units: 10 }, name: dense1 }", "10:37 the name dense1 is taken by the layer at 7:7")]
    [InlineData("- { dense: { units: 10 }, name: 'a b' }", "10:37 name must be a letter, then letters, digits, '_' or '-' (was 'a b')")]
    [InlineData("- { dense: { units: 10 }, learningRateFactor: -1 }", "10:51 learningRateFactor must be at least 0 (was -1)")]
    [InlineData("- { dense: { units: 10 }, inputs: [dens1] }", "10:40 an input must be an earlier layer or input (was 'dens1'); did you mean 'dense1'?")]
    [InlineData("- { dense: { units: 10 }, inputs: [dense3] }", "10:40 an input must be an earlier layer or input (was 'dense3', the layer itself)")]
    [InlineData("- { dense: { units: 10 }, inputs: [] }", "10:39 inputs must be a list of names of earlier layers or input (was an empty list)")]
    [InlineData("- { dense: { units: 10 }, inputs: [dense1, relu1] }", "10:7 dense3 must have exactly 1 input (has 2)")]
    [InlineData("- { dense: { units: 10 }, inputs: [dense2] }", "9:7 nothing takes the output of relu1: name it in the inputs of a later layer, or remove it (only the last layer feeds the loss)")]
    [InlineData("- add", "10:7 add1 needs at least 2 inputs (has 1)")]
    [InlineData("- { add: {}, inputs: [relu1, input] }", "10:7 add1 needs inputs of one shape (has [20] and [784])")]
    [InlineData("- { concat: { axis: 2 }, inputs: [relu1, dense1] }", "10:7 concat1 must have an axis from 1 to 1, counted with the batch as axis 0 (was 2)")]
    [InlineData("- dense: { units: 2147483647 }", "10:7 dense3 would have more than 2147483647 parameters or outputs (its input is [20])")]
    [InlineData("- dense: { units: 9 }", "10:7 softmaxCrossEntropy needs an output for each of the 10 classes (was [9])")]
    [InlineData("- dense: { units: 1 }", "10:7 softmaxCrossEntropy needs an output of one axis with at least 2 elements, one for each class (was [1])")]
    [InlineData("- dense: { units: 10, activation: softmax }", "10:7 softmaxCrossEntropy takes logits and applies softmax itself: remove the softmax before it")]
    public void A_layer_is_told_what_is_wrong_with_it(string layer, string error) => Check(10, $"    {layer}", [error]);

    [Theory]
    [InlineData("input: [28, 28]", "10:7 softmaxCrossEntropy needs an output of one axis with at least 2 elements, one for each class (was [28, 10])")]
    [InlineData("input: [2]", "5:10 input must have the 784 elements of a digit, e.g. [784] or [1, 28, 28] (was [2])")]
    [InlineData("input: []", "5:10 input must be the shape of one example, e.g. [784] (was an empty list)")]
    [InlineData("input: 784", "5:10 input must be the shape of one example, e.g. [784] (was 784)")]
    [InlineData("input: [0]", "5:11 an axis of input must be at least 1 (was 0)")]
    [InlineData("input: [65536, 65536]", "5:10 input must have at most 2147483647 elements (was [65536, 65536])")]
    [InlineData("inputs: { input: { shape: [784] } }", "5:3 inputs is not supported yet")]
    public void An_input_is_told_what_is_wrong_with_it(string input, string error) => Check(5, $"  {input}", [error]);

    [Theory]
    [InlineData("seed: &a 0", "2:7 anchors are not allowed in a job file (was &a)")]
    [InlineData("seed: *a", "2:7 aliases are not allowed in a job file (was *a)")]
    [InlineData("seed: !!int 0", "2:7 tags are not allowed in a job file (was tag:yaml.org,2002:int)")]
    [InlineData("name: again", "2:1 the key 'name' is here twice, first at 1:1")]
    [InlineData("[a, b]: c", "2:1 a key must be a word (was a list)")]
    public void What_a_job_does_not_need_of_YAML_is_refused(string text, string error) => Check(2, text, [error]);

    [Theory]
    [InlineData("", "1:1 the file is empty: a job is a mapping that begins with its name")]
    [InlineData("# nothing\n", "1:1 the file is empty: a job is a mapping that begins with its name")]
    [InlineData("just words", "1:1 a job must be a mapping with name, seed, data, model, loss, optimizer, training, parallelism, checkpoints (was 'just words')")]
    [InlineData("--- \n--- \n", "2:1 a job file holds one document, and here a second begins")]
    [InlineData("a: \u0007", "1:4 the character U+0007 is not allowed in a job file")]
    public void A_text_that_is_no_job_at_all_is_told_so(string text, string error) =>
        JobFile.Parse("job.yaml", text).Errors.First().ToString().ShouldBe($"job.yaml:{error}");

    [Fact]
    public void Half_a_surrogate_pair_is_no_text() =>
        Errors("a: \uD800").ShouldBe(["job.yaml:1:4 the character U+D800 is not allowed in a job file"]);

    [Theory]
    [InlineData("name: x\ntraining:\n\tbatchSize: 1\n", "3:1 indentation must be spaces (was a tab)")]
    [InlineData("name: x\ntraining:\n  batchSize: 1\n\tepochs: 2\n", "4:1 indentation must be spaces (was a tab)")]
    [InlineData("name: x\ntraining:\n  - a\n  \t- b\n", "4:3 indentation must be spaces (was a tab)")]
    [InlineData("name: \"x\n", "1:7 not valid YAML: while scanning a quoted scalar, found unexpected end of stream")]
    [InlineData("{\"name\": \"x\",,}", "1:14 not valid YAML: while parsing a node, did not find expected node content (still open: what begins at 1:1)")]
    public void Broken_YAML_is_told_with_its_place(string text, string error) =>
        JobFile.Parse("job.yaml", text).Errors.ShouldContain(
            found => found.Kind == JobErrorKind.Syntax && found.ToString() == $"job.yaml:{error}",
            string.Join('\n', Errors(text)));

    [Theory]
    [InlineData("name: [a, b\nseed: 1\n")]
    [InlineData("name: [a, b")]
    [InlineData("model: { input: [2]\nloss: x\n")]
    public void What_is_never_closed_is_told_where_it_begins(string text) =>
        Errors(text).ShouldHaveSingleItem().ShouldContain("(still open: what begins at 1:");

    [Fact]
    public void Only_test_data_can_stop_a_job_by_accuracy_or_patience()
    {
        var text = Job.Replace("test: { examples: 10 }", "test: { examples: 0 }", StringComparison.Ordinal)
            .Replace("epochs: 2 }", "epochs: 2, stopWhen: { testAccuracy: 0.9, patience: 2 } }", StringComparison.Ordinal);

        Errors(text).ShouldBe(
        [
            "job.yaml:13:65 testAccuracy needs test data, and the job has none: give data.test",
            "job.yaml:13:80 patience needs test data, and the job has none: give data.test",
        ]);
    }

    [Theory]
    [InlineData("spirals", "binaryCrossEntropy", 1, "binaryCrossEntropy needs an output for each of the 3 classes (was [1])")]
    [InlineData("spirals", "binaryCrossEntropy", 2, "binaryCrossEntropy needs an output for each of the 3 classes (was [2])")]
    [InlineData("spirals", "meanSquaredError", 2, "meanSquaredError needs an output for each of the 3 classes (was [2])")]
    [InlineData("spirals", "meanSquaredError", 1, null)]
    [InlineData("spirals", "binaryCrossEntropy", 3, null)]
    [InlineData("xor", "binaryCrossEntropy", 1, null)]
    [InlineData("xor", "softmaxCrossEntropy", 2, null)]
    public void A_loss_needs_an_output_for_each_class(string format, string loss, int units, string? error)
    {
        var text = $$"""
            name: x
            data: { format: {{format}} }
            model: { input: [2], layers: [{ dense: { units: {{units}} } }] }
            loss: {{loss}}
            optimizer: { adam: {} }
            training: { batchSize: 1, epochs: 1 }
            """;

        Errors(text).ShouldBe(error is null ? [] : [$"job.yaml:3:31 {error}"]);
    }

    [Theory]
    [InlineData("{ dense: { units: 1, activation: sigmoid } }")]
    [InlineData("{ dense: { units: 1 } }, sigmoid")]
    public void A_sigmoid_before_the_loss_that_applies_one_is_refused(string layers) =>
        Errors($$"""
            name: x
            data: { format: xor }
            model: { input: [2], layers: [{{layers}}] }
            loss: binaryCrossEntropy
            optimizer: { adam: {} }
            training: { batchSize: 1, epochs: 1 }
            """).ShouldHaveSingleItem().ShouldEndWith(
            "binaryCrossEntropy takes logits and applies sigmoid itself: remove the sigmoid before it");

    [Fact]
    public void All_errors_are_told_at_once_in_the_order_of_the_file() =>
        Errors("""
            nmae: x
            seed: -3
            data: { format: digits, noise: loud, train: { example: 3 } }
            model:
              input: [784]
              layers:
                - dense: { units: 0, activation: rellu }
                - conv2d: { filters: 8 }
                - dense: { units: ten }
            loss: crossEntropy
            optimizer: { sgd: { momentum: 2 } }
            training: { batchSize: 0, microBatches: 0, epochs: 0 }
            parallelism: { stages: 4 }
            """).Select(error => error["job.yaml:".Length..error.IndexOf(' ', StringComparison.Ordinal)]).ShouldBe(
        [
            "1:1", "1:1", "2:7", "3:32", "3:47", "7:23", "7:38", "8:7", "9:23", "10:7", "11:19", "11:31", "12:24", "12:41",
            "12:52", "13:24",
        ]);

    private static int Check(int line, string text, string[] errors)
    {
        var lines = Job.Split('\n');
        lines[line - 1] = text;

        Errors(string.Join('\n', lines)).Order(StringComparer.Ordinal)
            .ShouldBe(errors.Select(error => $"job.yaml:{error}").Order(StringComparer.Ordinal));
        return int.Parse(errors[0].Split(':')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static List<string> Errors(string text) =>
        [.. JobFile.Parse("job.yaml", text).Errors.Select(error => error.ToString())];
}
