using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Jobs;

/// <summary>What goes in and out of one layer of a model, for one example.</summary>
/// <param name="Inputs">The inputs' shapes, in the order of the layer's inputs.</param>
/// <param name="Output">The output's shape.</param>
/// <param name="ParameterCount">Elements of all its parameters, 0 … 2³¹−1.</param>
public sealed record LayerShapes(ImmutableArray<Shape> Inputs, Shape Output, int ParameterCount);

/// <summary>Infers the shapes of a model's layers.</summary>
public static class ModelShapes
{
    /// <summary>The shapes of every layer, in graph order.</summary>
    /// <param name="model">The model, names and inputs filled in.</param>
    /// <exception cref="ArgumentException">
    /// A layer names an input that is no earlier layer, its inputs do not fit it, or something would have more than 2³¹−1
    /// elements. A model from <see cref="JobFile"/> never does.
    /// </exception>
    public static ImmutableArray<LayerShapes> Of(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var outputs = new Dictionary<string, Shape> { [Model.InputName] = model.Input };
        var shapes = ImmutableArray.CreateBuilder<LayerShapes>(model.Layers.Length);
        foreach (var layer in model.Layers)
        {
            ImmutableArray<Shape> inputs = [.. layer.Inputs.Select(name => outputs.TryGetValue(name, out var shape)
                ? shape
                : throw new ArgumentException($"{layer.Name} takes {name}, which is no earlier layer.", nameof(model)))];
            var misfit = CountMisfit(layer.Kind, inputs.Length);
            if (misfit is not null || !TryInfer(layer.Kind, inputs, out var inferred, out misfit))
            {
                throw new ArgumentException($"{layer.Name} {misfit}", nameof(model));
            }

            shapes.Add(inferred);
            outputs[layer.Name] = inferred.Output;
        }

        return shapes.MoveToImmutable();
    }

    /// <summary>What is wrong with the number of a layer's inputs, after its name; null when nothing is.</summary>
    internal static string? CountMisfit(LayerKind kind, int inputs) => kind switch
    {
        AddKind or ConcatKind => inputs < 2 ? $"needs at least 2 inputs (has {inputs})" : null,
        _ => inputs != 1 ? $"must have exactly 1 input (has {inputs})" : null,
    };

    /// <summary>Infers one layer's output from its inputs, whose number is right.</summary>
    internal static bool TryInfer(
        LayerKind kind,
        ImmutableArray<Shape> inputs,
        [NotNullWhen(true)] out LayerShapes? shapes,
        [NotNullWhen(false)] out string? misfit)
    {
        shapes = null;
        misfit = null;
        try
        {
            var output = Output(kind, inputs, out misfit);
            if (output is not null)
            {
                shapes = new LayerShapes(inputs, output, ParameterCount(kind, inputs[0]));
                return true;
            }

            misfit ??= "does not fit its inputs";
        }
        catch (OverflowException)
        {
            misfit = $"would have more than {int.MaxValue} parameters or outputs (its input is {inputs[0]})";
        }

        return false;
    }

    private static int ParameterCount(LayerKind kind, Shape input) => kind is DenseKind dense
        ? checked((dense.Units * input[input.Rank - 1]) + (dense.Bias ? dense.Units : 0))
        : 0;

    private static Shape? Output(LayerKind kind, ImmutableArray<Shape> inputs, out string? misfit)
    {
        var input = inputs[0];
        misfit = kind switch
        {
            DenseKind or ActivationKind { Activation.Function: ActivationFunction.Softmax } when input.Rank == 0 =>
                "works along the last axis, and its input has none",
            AddKind when inputs.FirstOrDefault(other => !other.Equals(input)) is { } other =>
                $"needs inputs of one shape (has {input} and {other})",
            ConcatKind concat => ConcatMisfit(concat.Axis, inputs),
            _ => null,
        };
        return misfit is not null ? null : kind switch
        {
            DenseKind dense => new Shape([.. input.Axes[..^1], dense.Units]),
            FlattenKind => new Shape(input.Length),
            ConcatKind concat => Joined(concat.Axis - 1, inputs),
            _ => input,
        };
    }

    private static string? ConcatMisfit(int axis, ImmutableArray<Shape> inputs)
    {
        var first = inputs[0];
        if (axis < 1 || axis > first.Rank)
        {
            return $"must have an axis from 1 to {first.Rank}, counted with the batch as axis 0 (was {axis})";
        }

        var other = inputs.FirstOrDefault(
            shape => shape.Rank != first.Rank || !shape.Axes.RemoveAt(axis - 1).SequenceEqual(first.Axes.RemoveAt(axis - 1)));
        return other is null ? null : $"needs inputs of one shape but for axis {axis} (has {first} and {other})";
    }

    private static Shape Joined(int axis, ImmutableArray<Shape> inputs)
    {
        var length = 0;
        foreach (var input in inputs)
        {
            length = checked(length + input[axis]);
        }

        return new Shape([.. inputs[0].Axes.SetItem(axis, length)]);
    }
}
