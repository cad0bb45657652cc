using System.Globalization;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Reads typed values from nodes; null when the node is something else, which is reported by then.</summary>
internal static class Scalars
{
    public static long? Integer(JobNode node, string what, long min, long max, JobErrors errors)
    {
        if (node is not ScalarNode { Type: ScalarType.Integer } scalar)
        {
            errors.WrongType(node, what, "an integer");
            return null;
        }

        if (ScalarTypes.Integer(scalar.Text) is { } value && value >= min && value <= max)
        {
            return value;
        }

        // A bound that only says where the type ends tells nothing to someone who wrote 0.
        var isNegative = scalar.Text[0] == '-';
        var isTooSmall = ScalarTypes.Integer(scalar.Text) is { } small ? small < min : isNegative;
        var allowed = max is not (int.MaxValue or long.MaxValue)
            ? string.Create(CultureInfo.InvariantCulture, $"from {min} to {max}")
            : isTooSmall
                ? string.Create(CultureInfo.InvariantCulture, $"at least {min}")
                : string.Create(CultureInfo.InvariantCulture, $"at most {max}");
        errors.Value(node.At, $"{what} must be {allowed} (was {scalar.Shown})");
        return null;
    }

    public static double? Number(JobNode node, string what, NumberRange range, JobErrors errors)
    {
        if (node is not ScalarNode { Type: ScalarType.Integer or ScalarType.Number } scalar)
        {
            errors.WrongType(node, what, "a number");
            return null;
        }

        var value = ScalarTypes.Number(scalar.Text);
        if (!double.IsFinite((float)value))
        {
            errors.Value(node.At, $"{what} must be a finite float32 (was {scalar.Shown})");
            return null;
        }

        if (!range.Allows(value))
        {
            errors.Value(node.At, $"{what} must be {range.Allowed} (was {scalar.Shown})");
            return null;
        }

        // −0 becomes +0: equal numbers are to have equal canonical forms.
        return value + 0.0;
    }

    public static bool? Flag(JobNode node, string what, JobErrors errors)
    {
        if (node is ScalarNode { Type: ScalarType.Flag } scalar)
        {
            return ScalarTypes.Flag(scalar.Text);
        }

        errors.WrongType(node, what, "true or false");
        return null;
    }

    public static string? Text(JobNode node, string what, JobErrors errors)
    {
        if (node is ScalarNode { Type: ScalarType.Text } scalar)
        {
            return scalar.Text;
        }

        // Without this, `name: true` would look like text to whoever wrote it.
        errors.WrongType(node, what, node is ScalarNode { Type: not ScalarType.Empty } ? "text: put it in quotes" : "text");
        return null;
    }

    /// <summary>A name of a job or a layer: <c>[A-Za-z][A-Za-z0-9_-]*</c>.</summary>
    public static string? Name(JobNode node, string what, JobErrors errors)
    {
        if (Text(node, what, errors) is not { } text)
        {
            return null;
        }

        var isName = text.Length > 0
            && char.IsAsciiLetter(text[0])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
        if (!isName)
        {
            errors.Value(node.At, $"{what} must be a letter, then letters, digits, '_' or '-' (was {node.Shown})");
        }

        return isName ? text : null;
    }
}
