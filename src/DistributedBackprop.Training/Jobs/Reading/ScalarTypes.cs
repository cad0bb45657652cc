using System.Globalization;
using System.Text.RegularExpressions;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>What a scalar without quotes is.</summary>
internal enum ScalarType
{
    Empty,
    Flag,
    Integer,
    Number,
    Text,
}

/// <summary>Tells scalar types apart as the core schema of YAML 1.2 (chapter 10.3) does: no <c>yes</c>, no <c>1_000</c>.</summary>
internal static partial class ScalarTypes
{
    public static ScalarType Of(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => ScalarType.Empty,
        "true" or "True" or "TRUE" or "false" or "False" or "FALSE" => ScalarType.Flag,
        _ when IntegerForm().IsMatch(text) => ScalarType.Integer,
        _ when NumberForm().IsMatch(text) => ScalarType.Number,
        _ => ScalarType.Text,
    };

    public static bool Flag(string text) => text[0] is 't' or 'T';

    /// <summary>The integer that <paramref name="text"/>, of that type, writes; null beyond the range of long.</summary>
    public static long? Integer(string text)
    {
        long value;
        if (text.StartsWith("0x", StringComparison.Ordinal))
        {
            // Hexadecimal digits would otherwise wrap around to negative numbers.
            return long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
                && value >= 0 ? value : null;
        }

        if (text.StartsWith("0o", StringComparison.Ordinal))
        {
            return Octal(text.AsSpan(2));
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) ? value : null;
    }

    /// <summary>The number that <paramref name="text"/>, an integer or a number, writes; beyond double's range infinite.</summary>
    public static double Number(string text)
    {
        if (text.StartsWith("0x", StringComparison.Ordinal) || text.StartsWith("0o", StringComparison.Ordinal))
        {
            return Integer(text) ?? double.PositiveInfinity;
        }

        if (text.EndsWith("inf", StringComparison.OrdinalIgnoreCase))
        {
            return text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
        }

        return text[0] == '.' && text[1] is 'n' or 'N'
            ? double.NaN
            : double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private static long? Octal(ReadOnlySpan<char> digits)
    {
        long value = 0;
        foreach (var digit in digits)
        {
            if (value > long.MaxValue >> 3)
            {
                return null;
            }

            value = (value << 3) | (long)(digit - '0');
        }

        return value;
    }

    [GeneratedRegex(@"^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex IntegerForm();

    [GeneratedRegex(
        @"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex NumberForm();
}
