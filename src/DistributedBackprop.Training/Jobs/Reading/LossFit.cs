using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Checks that data, model and loss fit together, as far as the job file alone can tell.</summary>
internal static class LossFit
{
    private const int DigitPixels = 28 * 28;

    public static void Check(DataSource? data, ModelDraft model, LossKind? loss, JobErrors errors)
    {
        CheckInput(data, model, errors);
        if (loss is not { } kind || model.Last is not { } last)
        {
            return;
        }

        CheckLogits(kind, last, errors);
        if (model.Output is { } output)
        {
            CheckOutput(kind, output, ClassesOf(data), last.At, errors);
        }
    }

    private static int? ClassesOf(DataSource? data) => data switch
    {
        DigitsData => 10,
        SpiralsData spirals => spirals.Classes,
        XorData => 2,
        _ => null,
    };

    private static void CheckInput(DataSource? data, ModelDraft model, JobErrors errors)
    {
        if (model.Input is not { } input)
        {
            return;
        }

        if (data is DigitsData && input.Length != DigitPixels)
        {
            errors.Value(
                model.InputAt, $"input must have the {DigitPixels} elements of a digit, e.g. [784] or [1, 28, 28] (was {input})");
        }
        else if (data is SpiralsData or XorData && !input.Equals(new Shape(2)))
        {
            errors.Value(model.InputAt, $"input must be [2], the coordinates of a point (was {input})");
        }
    }

    private static void CheckLogits(LossKind loss, LayerDraft last, JobErrors errors)
    {
        var function = last.Kind switch
        {
            DenseKind dense => dense.Activation?.Function,
            ActivationKind layer => layer.Activation.Function,
            _ => null,
        };
        var applied = loss switch
        {
            LossKind.SoftmaxCrossEntropy => ActivationFunction.Softmax,
            LossKind.BinaryCrossEntropy => ActivationFunction.Sigmoid,
            _ => (ActivationFunction?)null,
        };
        if (applied is not null && function == applied)
        {
            var word = Vocabulary.Activations.Of(applied.Value);
            errors.Value(
                last.At, $"{Vocabulary.Losses.Of(loss)} takes logits and applies {word} itself: remove the {word} before it");
        }
    }

    private static void CheckOutput(LossKind loss, Shape output, int? classes, Position at, JobErrors errors)
    {
        var word = Vocabulary.Losses.Of(loss);
        if (loss == LossKind.SoftmaxCrossEntropy)
        {
            if (output.Rank != 1 || output[0] < 2)
            {
                errors.Value(
                    at, $"{word} needs an output of one axis with at least 2 elements, one for each class (was {output})");
            }
            else if (output[0] < classes)
            {
                errors.Value(at, $"{word} needs an output for each of the {classes} classes (was {output})");
            }

            return;
        }

        // One output holds the label itself, more are one-hot.
        if (output.Length == 1 ? loss == LossKind.BinaryCrossEntropy && classes > 2 : output.Length < classes)
        {
            errors.Value(at, $"{word} needs an output for each of the {classes} classes (was {output})");
        }
    }
}
