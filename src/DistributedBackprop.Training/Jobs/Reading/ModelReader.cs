using System.Collections.Immutable;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>The model as far as it could be read, with the places that later checks point at.</summary>
internal sealed record ModelDraft
{
    /// <summary>The model; null when something is wrong with it.</summary>
    public Model? Model { get; init; }

    /// <summary>How many layers are listed; null when there is no list.</summary>
    public int? LayerCount { get; init; }

    /// <summary>The shape of one example; null when that is wrong.</summary>
    public Shape? Input { get; init; }

    /// <summary>Where that shape is.</summary>
    public Position InputAt { get; init; }

    /// <summary>The shape of the last layer's output for one example; null when it cannot be told.</summary>
    public Shape? Output { get; init; }

    /// <summary>Where each layer is.</summary>
    public ImmutableArray<Position> LayersAt { get; init; } = [];

    /// <summary>The last layer; null when there is none.</summary>
    public LayerDraft? Last { get; init; }
}

/// <summary>Reads <c>model</c>.</summary>
internal static class ModelReader
{
    private const int MaxRank = 8;

    public static ModelDraft Read(JobNode node, JobErrors errors)
    {
        if (Fields.Of(node, "model", errors, ["input", "layers"], "inputs") is not { } fields)
        {
            return new ModelDraft();
        }

        // With `inputs` there is no `input` to miss: that it is to come is reported.
        var inputNode = fields.Find("inputs") is null ? fields.Required("input") : fields.Find("input");
        var input = inputNode is null ? null : ReadShape(inputNode, errors);
        var result = new ModelDraft { Input = input, InputAt = inputNode?.At ?? fields.At };
        if (fields.Required("layers") is not { } layers)
        {
            return result;
        }

        if (layers is not SequenceNode { Items.IsEmpty: false } list)
        {
            errors.WrongType(layers, "layers", "a list of at least one layer");
            return result;
        }

        if (list.Items.Length > SizeLimits.LayersMax)
        {
            errors.Value(layers.At, $"layers must have at most {SizeLimits.LayersMax} layers (has {list.Items.Length})");
            return result;
        }

        ImmutableArray<LayerDraft> drafts = [.. list.Items.Select(item => LayerReader.Read(item, errors))];
        var graph = new LayerGraph(drafts, input, errors);
        var resolved = graph.Resolve();
        return result with
        {
            LayerCount = drafts.Length,
            LayersAt = [.. drafts.Select(draft => draft.At)],
            Last = drafts[^1],
            Output = graph.Output,
            Model = resolved is null || input is null ? null : new Model(input, resolved.Value),
        };
    }

    private static Shape? ReadShape(JobNode node, JobErrors errors)
    {
        if (node is not SequenceNode { Items.IsEmpty: false } list)
        {
            errors.WrongType(node, "input", "the shape of one example, e.g. [784]");
            return null;
        }

        if (list.Items.Length > MaxRank)
        {
            errors.Value(node.At, $"input must have at most {MaxRank} axes (has {list.Items.Length})");
            return null;
        }

        var axes = list.Items.Select(item => Scalars.Integer(item, "an axis of input", 1, int.MaxValue, errors)).ToList();
        if (axes.Contains(null))
        {
            return null;
        }

        try
        {
            return new Shape([.. axes.Select(axis => (int)axis!.Value)]);
        }
        catch (OverflowException)
        {
            errors.Value(
                node.At, $"input must have at most {int.MaxValue} elements (was [{string.Join(", ", axes)}])");
            return null;
        }
    }
}
