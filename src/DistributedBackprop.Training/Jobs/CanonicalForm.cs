using System.Security.Cryptography;
using System.Text;
using DistributedBackprop.Training.Jobs.Reading;
using DistributedBackprop.Training.Jobs.Writing;

namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// The one text that stands for a job: compact JSON, keys in a fixed order, defaults included, numbers in their shortest
/// form that reads back as the same bits. It is a job file itself, and reading it gives an equal job.
/// </summary>
public static class CanonicalForm
{
    /// <summary>The canonical form of a job.</summary>
    public static string Of(TrainingJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var json = new CompactJson();
        json.Object(() =>
        {
            json.Text("name", job.Name);
            json.Integer("seed", job.Seed);
            json.Object("data", () => Write(json, job.Data));
            json.Object("model", () => Write(json, job.Model));
            json.Text("loss", Vocabulary.Losses.Of(job.Loss));
            json.Object("optimizer", () => Write(json, job.Optimizer));
            json.Object("training", () => Write(json, job.Training));
            json.Object("parallelism", () => Write(json, job.Parallelism));
            json.Object("checkpoints", () =>
            {
                json.Integer("everySteps", job.Checkpoints.EverySteps);
                json.Integer("keep", job.Checkpoints.Keep);
            });
        });
        return json.ToString();
    }

    /// <summary>SHA-256 of the canonical form in UTF-8, as 64 lower-case hexadecimal digits.</summary>
    public static string Digest(TrainingJob job) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Of(job))));

    private static void Write(CompactJson json, DataSource data)
    {
        switch (data)
        {
            case IdxData idx:
                json.Text("format", "idx");
                Write(json, "train", idx.Train);
                Write(json, "test", idx.Test);
                break;
            case DigitsData digits:
                WriteGenerated(json, "digits", digits.TrainExamples, digits.TestExamples, digits.Noise);
                break;
            case SpiralsData spirals:
                WriteGenerated(json, "spirals", spirals.TrainExamples, spirals.TestExamples, spirals.Noise);
                json.Integer("classes", spirals.Classes);
                json.Number("turns", spirals.Turns);
                break;
            case XorData xor:
                WriteGenerated(json, "xor", xor.TrainExamples, xor.TestExamples, xor.Noise);
                break;
            default:
                throw Unknown(data);
        }

        json.Number("scale", data.Scale);
        json.Flag("shuffle", data.Shuffle);
    }

    private static void WriteGenerated(CompactJson json, string format, int train, int test, double noise)
    {
        json.Text("format", format);
        json.Object("train", () => json.Integer("examples", train));
        json.Object("test", () => json.Integer("examples", test));
        json.Number("noise", noise);
    }

    private static void Write(CompactJson json, string key, IdxFiles? files)
    {
        if (files is not null)
        {
            json.Object(key, () =>
            {
                json.Text("features", files.Features);
                json.Text("labels", files.Labels);
            });
        }
    }

    private static void Write(CompactJson json, Model model)
    {
        json.List("input", model.Input.Axes, axis => json.Integer(axis));
        json.List("layers", model.Layers, layer => json.Object(() =>
        {
            Write(json, layer.Kind);
            json.Text("name", layer.Name);
            json.List("inputs", layer.Inputs, json.Text);
            json.Number("learningRateFactor", layer.LearningRateFactor);
        }));
    }

    private static void Write(CompactJson json, LayerKind kind)
    {
        switch (kind)
        {
            case DenseKind dense:
                json.Object("dense", () => Write(json, dense));
                break;
            case ActivationKind { Activation: { Function: ActivationFunction.LeakyRelu } leaky }:
                json.Object("leakyRelu", () => json.Number("slope", leaky.Slope));
                break;
            case ActivationKind layer:
                json.Object(Vocabulary.Activations.Of(layer.Activation.Function), () => { });
                break;
            case DropoutKind dropout:
                json.Object("dropout", () => json.Number("rate", dropout.Rate));
                break;
            case FlattenKind:
                json.Object("flatten", () => { });
                break;
            case AddKind:
                json.Object("add", () => { });
                break;
            case ConcatKind concat:
                json.Object("concat", () => json.Integer("axis", concat.Axis));
                break;
            default:
                throw Unknown(kind);
        }
    }

    private static void Write(CompactJson json, DenseKind dense)
    {
        json.Integer("units", dense.Units);
        if (dense.Activation is { Function: ActivationFunction.LeakyRelu } leaky)
        {
            json.Object("activation", () => json.Object("leakyRelu", () => json.Number("slope", leaky.Slope)));
        }
        else if (dense.Activation is { } activation)
        {
            json.Text("activation", Vocabulary.Activations.Of(activation.Function));
        }

        json.Flag("bias", dense.Bias);
        if (dense.Initializer.Kind == InitializerKind.Normal)
        {
            var std = dense.Initializer.StandardDeviation;
            json.Object("initializer", () => json.Object("normal", () => json.Number("std", std)));
        }
        else
        {
            json.Text("initializer", Vocabulary.Initializers.Of(dense.Initializer.Kind));
        }
    }

    private static void Write(CompactJson json, OptimizerChoice optimizer)
    {
        switch (optimizer)
        {
            case SgdChoice sgd:
                json.Object("sgd", () =>
                {
                    json.Object("learningRate", () => Write(json, sgd.LearningRate));
                    json.Number("momentum", sgd.Momentum);
                    json.Flag("nesterov", sgd.Nesterov);
                    json.Number("weightDecay", sgd.WeightDecay);
                });
                break;
            case AdamChoice adam:
                json.Object(adam is AdamWChoice ? "adamW" : "adam", () =>
                {
                    json.Object("learningRate", () => Write(json, adam.LearningRate));
                    json.Number("beta1", adam.Beta1);
                    json.Number("beta2", adam.Beta2);
                    json.Number("epsilon", adam.Epsilon);
                    json.Number("weightDecay", adam.WeightDecay);
                });
                break;
            default:
                throw Unknown(optimizer);
        }
    }

    private static void Write(CompactJson json, LearningRate rate)
    {
        switch (rate)
        {
            case ConstantRate constant:
                json.Object("constant", () =>
                {
                    json.Number("value", constant.Value);
                    json.Integer("warmupSteps", constant.WarmupSteps);
                });
                break;
            case StepRate step:
                json.Object("step", () =>
                {
                    json.Number("from", step.From);
                    json.Integer("every", step.Every);
                    json.Number("factor", step.Factor);
                });
                break;
            case CosineRate cosine:
                json.Object("cosine", () =>
                {
                    json.Number("from", cosine.From);
                    json.Number("to", cosine.To);
                    json.Integer("warmupSteps", cosine.WarmupSteps);
                });
                break;
            default:
                throw Unknown(rate);
        }
    }

    private static void Write(CompactJson json, TrainingPlan training)
    {
        json.Integer("batchSize", training.BatchSize);
        json.Integer("microBatches", training.MicroBatches);
        json.Integer("epochs", training.Epochs);
        json.Integer("steps", training.Steps);
        json.Object("stopWhen", () =>
        {
            json.Number("testAccuracy", training.StopWhen.TestAccuracy);
            json.Number("trainLoss", training.StopWhen.TrainLoss);
            json.Integer("patience", training.StopWhen.Patience);
        });
    }

    private static void Write(CompactJson json, Parallelism parallelism)
    {
        json.Integer("replicas", parallelism.Replicas);
        json.Integer("stages", parallelism.Stages);
        json.Text("schedule", Vocabulary.Schedules.Of(parallelism.Schedule));
        switch (parallelism.Averaging)
        {
            case GradientAveraging:
                json.Text("averaging", "gradients");
                break;
            case ParameterAveraging parameters:
                json.Object("averaging", () => json.Object("parameters", () => Write(json, parameters)));
                break;
            default:
                throw Unknown(parallelism.Averaging);
        }
    }

    private static void Write(CompactJson json, ParameterAveraging parameters)
    {
        json.Integer("every", parameters.Every);
        json.Object("outer", () =>
        {
            json.Number("learningRate", parameters.Outer.LearningRate);
            json.Number("momentum", parameters.Outer.Momentum);
            json.Flag("nesterov", parameters.Outer.Nesterov);
        });
        json.Text("innerState", Vocabulary.InnerStates.Of(parameters.InnerState));
    }

    private static NotSupportedException Unknown(object part) => new($"{part.GetType().Name} has no canonical form.");
}
