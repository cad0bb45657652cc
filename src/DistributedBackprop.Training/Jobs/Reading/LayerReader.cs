using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Reads one entry of <c>model.layers</c>: a kind with its options, and what stands beside it.</summary>
internal static class LayerReader
{
    private static string[] Siblings { get; } = ["name", "inputs", "learningRateFactor"];
    private static string[] LaterSiblings { get; } = ["freeze", "parametersOf"];

    public static LayerDraft Read(JobNode node, JobErrors errors)
    {
        switch (node)
        {
            case ScalarNode { Type: ScalarType.Text } bare:
                return ReadBare(bare, errors);
            case MappingNode mapping:
                return ReadMapping(mapping, errors);
            default:
                errors.WrongType(node, "a layer", "a kind, or a mapping with a kind");
                return new LayerDraft { At = node.At, NameAt = node.At };
        }
    }

    private static LayerDraft ReadBare(ScalarNode node, JobErrors errors)
    {
        var draft = new LayerDraft { At = node.At, NameAt = node.At, Word = node.Text };
        if (LayerKindReader.Later.Contains(node.Text))
        {
            errors.Structure(node.At, $"{node.Text} is not supported yet");
            return draft;
        }

        if (!LayerKindReader.Kinds.Contains(node.Text))
        {
            Words.Unknown(node, "a layer", LayerKindReader.Kinds, errors);
            return draft with { Word = Suggestion.Nearest(node.Text, LayerKindReader.Kinds) };
        }

        return draft with { Kind = LayerKindReader.Read(node.Text, new MappingNode(node.At, []), errors) };
    }

    private static LayerDraft ReadMapping(MappingNode node, JobErrors errors)
    {
        var kinds = new List<MappingEntry>();
        var guess = default(string);
        foreach (var entry in node.Entries)
        {
            if (LayerKindReader.Kinds.Contains(entry.Key) || LayerKindReader.Later.Contains(entry.Key))
            {
                kinds.Add(entry);
            }
            else if (LaterSiblings.Contains(entry.Key))
            {
                errors.Structure(entry.KeyAt, $"{entry.Key} is not supported yet");
            }
            else if (!Siblings.Contains(entry.Key))
            {
                ReportUnknown(entry, errors);
                guess ??= Suggestion.Nearest(entry.Key, LayerKindReader.Kinds) ?? "";
            }
        }

        // An unknown key is most likely the kind, misspelt: then nothing is missing.
        if (kinds.Count == 0 && guess is null)
        {
            errors.Structure(node.At, $"a layer needs {Words.OneOf(LayerKindReader.Kinds)}");
        }

        foreach (var second in kinds.Skip(1))
        {
            errors.Structure(second.KeyAt, $"a layer must be only one of {kinds[0].Key} and {second.Key}");
        }

        var draft = new LayerDraft
        {
            At = node.At,
            NameAt = node.At,
            Word = kinds.Count > 0 ? kinds[0].Key : guess is { Length: > 0 } ? guess : null,
            Kind = kinds.Count > 0 ? ReadKind(kinds[0], errors) : null,
        };
        return ReadSiblings(draft, node, errors);
    }

    private static LayerKind? ReadKind(MappingEntry entry, JobErrors errors)
    {
        if (LayerKindReader.Later.Contains(entry.Key))
        {
            errors.Structure(entry.KeyAt, $"{entry.Key} is not supported yet");
            return null;
        }

        return LayerKindReader.Read(entry.Key, entry.Value, errors);
    }

    private static void ReportUnknown(MappingEntry entry, JobErrors errors)
    {
        string[] allowed = [.. LayerKindReader.Kinds, .. Siblings];
        errors.Structure(
            entry.KeyAt,
            $"unknown key '{ScalarNode.Clean(entry.Key)}' in a layer (allowed: {Words.OneOf(LayerKindReader.Kinds)}, "
            + $"beside it {Words.List(Siblings)}){Suggestion.For(entry.Key, allowed)}");
    }

    private static LayerDraft ReadSiblings(LayerDraft draft, MappingNode node, JobErrors errors)
    {
        if (node.Find("name") is { } name)
        {
            var text = Scalars.Name(name.Value, "name", errors);
            if (text == Model.InputName)
            {
                errors.Value(name.Value.At, "name must not be 'input': that is the example itself");
                text = null;
            }

            draft = draft with { Name = text, NameAt = name.Value.At, HasBrokenName = text is null };
        }

        if (node.Find("inputs") is { } inputs)
        {
            draft = draft with { Inputs = ReadInputs(inputs.Value, errors) };
        }

        if (node.Find("learningRateFactor") is { } factor)
        {
            draft = draft with
            {
                LearningRateFactor =
                    Scalars.Number(factor.Value, "learningRateFactor", NumberRange.NotNegative, errors) ?? 1,
            };
        }

        return draft;
    }

    private static ImmutableArray<InputDraft> ReadInputs(JobNode node, JobErrors errors)
    {
        if (node is not SequenceNode { Items.IsEmpty: false } list)
        {
            errors.WrongType(node, "inputs", "a list of names of earlier layers or input");
            return [new InputDraft(null, node.At)];
        }

        return [.. list.Items.Select(item => new InputDraft(Scalars.Text(item, "an input", errors), item.At))];
    }
}
