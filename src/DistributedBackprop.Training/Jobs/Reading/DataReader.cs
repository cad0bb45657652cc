namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Reads <c>data</c>.</summary>
internal static class DataReader
{
    private static string[] Formats { get; } = ["idx", "digits", "spirals", "xor"];
    private static string[] Later { get; } = ["csv", "npy", "parquet", "text"];

    public static DataSource? Read(JobNode node, JobErrors errors)
    {
        if (node is not MappingNode mapping)
        {
            errors.WrongType(node, "data", "a mapping with format");
            return null;
        }

        if (mapping.Find("format") is not { } format)
        {
            errors.Structure(node.At, $"data needs format, {Words.OneOf(Formats)}");
            return null;
        }

        switch ((format.Value as ScalarNode)?.Text)
        {
            case "idx":
                return ReadIdx(mapping, errors);
            case "digits":
                return ReadDigits(mapping, errors);
            case "spirals":
                return ReadSpirals(mapping, errors);
            case "xor":
                return ReadXor(mapping, errors);
            case { } later when Later.Contains(later):
                errors.Structure(format.Value.At, $"format {later} is not supported yet");
                return null;
            default:
                Words.Unknown(format.Value, "format", Formats, errors);
                return null;
        }
    }

    private static Fields KeysOf(MappingNode mapping, string format, JobErrors errors, params string[] keys) =>
        Fields.Of(mapping, $"data of format {format}", errors, ["format", "train", "test", "scale", "shuffle", .. keys])!;

    private static T WithOrder<T>(T source, Fields fields)
        where T : DataSource => source with
        {
            Scale = fields.NumberOr(1, "scale", NumberRange.NotZero) ?? 1,
            Shuffle = fields.FlagOr(true, "shuffle") ?? true,
        };

    private static IdxData? ReadIdx(MappingNode mapping, JobErrors errors)
    {
        var fields = KeysOf(mapping, "idx", errors);
        var train = fields.Required("train") is { } trainNode ? ReadFiles(trainNode, "train", errors) : null;
        var test = fields.Find("test") is { } testNode ? ReadFiles(testNode, "test", errors) : null;

        // Read even when files are wrong: every error at once.
        var data = WithOrder(new IdxData(train ?? new IdxFiles("", ""), test), fields);
        return train is null || (test is null && fields.Find("test") is not null) ? null : data;
    }

    private static IdxFiles? ReadFiles(JobNode node, string what, JobErrors errors)
    {
        if (Fields.Of(node, what, errors, ["features", "labels"]) is not { } fields)
        {
            return null;
        }

        var features = fields.Required("features") is { } featuresNode ? DataPath.Read(featuresNode, "features", errors) : null;
        var labels = fields.Required("labels") is { } labelsNode ? DataPath.Read(labelsNode, "labels", errors) : null;
        return features is null || labels is null ? null : new IdxFiles(features, labels);
    }

    private static DigitsData? ReadDigits(MappingNode mapping, JobErrors errors)
    {
        var fields = KeysOf(mapping, "digits", errors, "noise");
        var defaults = new DigitsData();
        var train = ReadExamples(fields, "train", 1, defaults.TrainExamples, errors);
        var test = ReadExamples(fields, "test", 0, defaults.TestExamples, errors);
        var noise = fields.NumberOr(defaults.Noise, "noise", NumberRange.FromTo(0, 1));
        var data = WithOrder(new DigitsData(train ?? 1, test ?? 0, noise ?? 0), fields);
        return train is null || test is null || noise is null ? null : data;
    }

    private static SpiralsData? ReadSpirals(MappingNode mapping, JobErrors errors)
    {
        var fields = KeysOf(mapping, "spirals", errors, "classes", "turns", "noise");
        var defaults = new SpiralsData();
        var train = ReadExamples(fields, "train", 1, defaults.TrainExamples, errors);
        var test = ReadExamples(fields, "test", 0, defaults.TestExamples, errors);
        var classes = fields.IntegerOr(defaults.Classes, "classes", 2, 100);
        var turns = fields.NumberOr(defaults.Turns, "turns", NumberRange.AboveUpTo(0, 100));
        var noise = fields.NumberOr(defaults.Noise, "noise", NumberRange.FromTo(0, 10));
        var data = WithOrder(new SpiralsData(train ?? 1, test ?? 0, (int)(classes ?? 2), turns ?? 1, noise ?? 0), fields);
        return train is null || test is null || classes is null || turns is null || noise is null ? null : data;
    }

    private static XorData? ReadXor(MappingNode mapping, JobErrors errors)
    {
        var fields = KeysOf(mapping, "xor", errors, "noise");
        var defaults = new XorData();
        var train = ReadExamples(fields, "train", 1, defaults.TrainExamples, errors);
        var test = ReadExamples(fields, "test", 0, defaults.TestExamples, errors);
        var noise = fields.NumberOr(defaults.Noise, "noise", NumberRange.FromTo(0, 10));
        var data = WithOrder(new XorData(train ?? 1, test ?? 0, noise ?? 0), fields);
        return train is null || test is null || noise is null ? null : data;
    }

    private static int? ReadExamples(Fields fields, string key, int min, int fallback, JobErrors errors)
    {
        if (fields.Find(key) is not { } node)
        {
            return fallback;
        }

        return (int?)Fields.Of(node, key, errors, ["examples"])?.IntegerOr(fallback, "examples", min, SizeLimits.GeneratedExamplesMax);
    }
}
