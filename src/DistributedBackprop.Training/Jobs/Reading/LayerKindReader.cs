namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Reads what a layer computes: its kind's options.</summary>
internal static class LayerKindReader
{
    /// <summary>The kinds of layers.</summary>
    public static readonly string[] Kinds =
        ["dense", "dropout", "flatten", "add", "concat", .. Vocabulary.Activations.All];

    /// <summary>Kinds that are to come.</summary>
    public static readonly string[] Later =
    [
        "conv2d", "maxPool2d", "averagePool2d", "globalAveragePool", "batchNorm", "layerNorm", "embedding",
        "positionEmbedding", "attention",
    ];

    /// <param name="word">One of <see cref="Kinds"/>.</param>
    /// <param name="options">Its options.</param>
    /// <param name="errors">Takes what is wrong.</param>
    public static LayerKind? Read(string word, JobNode options, JobErrors errors)
    {
        switch (word)
        {
            case "dense":
                return ReadDense(options, errors);
            case "dropout":
                var rate = Fields.Of(options, word, errors, ["rate"])?.Number("rate", NumberRange.BelowOne);
                return rate is null ? null : new DropoutKind(rate.Value);
            case "concat":
                var axis = Fields.Of(options, word, errors, ["axis"])?.IntegerOr(1, "axis", 1, int.MaxValue);
                return axis is null ? null : new ConcatKind((int)axis.Value);
            case "flatten":
                return Fields.Of(options, word, errors, []) is null ? null : new FlattenKind();
            case "add":
                return Fields.Of(options, word, errors, []) is null ? null : new AddKind();
            default:
                return ReadActivation(word, options, errors) is { } activation ? new ActivationKind(activation) : null;
        }
    }

    private static DenseKind? ReadDense(JobNode options, JobErrors errors)
    {
        if (Fields.Of(options, "dense", errors, ["units", "activation", "bias", "initializer"]) is not { } fields)
        {
            return null;
        }

        var units = fields.Integer("units", 1, int.MaxValue);
        var activationNode = fields.Find("activation");
        var activation = activationNode is null ? null : ReadActivation(activationNode, errors);
        var bias = fields.FlagOr(true, "bias");
        var initializer = fields.Find("initializer") is { } node
            ? ReadInitializer(node, errors)
            : new Initializer(InitializerKind.Default);
        return units is null || bias is null || initializer is null || (activation is null && activationNode is not null)
            ? null
            : new DenseKind((int)units.Value, activation, bias.Value, initializer);
    }

    /// <summary>An activation as a value: its word, or <c>{ leakyRelu: { slope: 0.1 } }</c>, the only one with an option.</summary>
    private static Activation? ReadActivation(JobNode node, JobErrors errors)
    {
        if (node is MappingNode)
        {
            return Variant.Read(node, "activation", errors, ["leakyRelu"]) is { } variant
                ? ReadActivation(variant.Word, variant.Options, errors)
                : null;
        }

        return Vocabulary.Activations.Read(node, "activation", errors) is { } function ? new Activation(function) : null;
    }

    private static Activation? ReadActivation(string word, JobNode options, JobErrors errors)
    {
        var function = Vocabulary.Activations.Find(word)!.Value;
        var defaults = new Activation(function);
        if (function != ActivationFunction.LeakyRelu)
        {
            return Fields.Of(options, word, errors, []) is null ? null : defaults;
        }

        var slope = Fields.Of(options, word, errors, ["slope"])?.NumberOr(defaults.Slope, "slope", NumberRange.NotNegative);
        return slope is null ? null : new Activation(function, slope.Value);
    }

    private static Initializer? ReadInitializer(JobNode node, JobErrors errors)
    {
        if (node is not MappingNode)
        {
            if (node is ScalarNode { Text: "normal" })
            {
                errors.Structure(node.At, "initializer normal needs its std: { normal: { std: 0.02 } }");
                return null;
            }

            return Vocabulary.Initializers.Read(node, "initializer", errors) is { } kind ? new Initializer(kind) : null;
        }

        var options = Variant.Read(node, "initializer", errors, ["normal"])?.Options;
        var std = Fields.Of(options, "normal", errors, ["std"])?.Number("std", NumberRange.NotNegative);
        return std is null ? null : new Initializer(InitializerKind.Normal, std.Value);
    }
}
