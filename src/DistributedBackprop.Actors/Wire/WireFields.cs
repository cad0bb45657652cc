using System.Globalization;
using System.Runtime.Serialization;
using System.Text;

namespace DistributedBackprop.Actors.Wire;

/// <summary>
/// Checks what comes from another node, field by field; each throws a <see cref="SerializationException"/> that names the
/// field and what is allowed.
/// </summary>
internal static class WireFields
{
    /// <summary>The longest name of a node, a layer or a job, in bytes of UTF-8.</summary>
    public const int MaxName = 64;

    /// <summary>The longest text for people, in bytes of UTF-8; what is written is cut at it.</summary>
    public const int MaxReason = 4096;

    /// <summary>A text that must be there.</summary>
    /// <param name="value">What came.</param>
    /// <param name="field">Names it.</param>
    /// <param name="most">Its bytes of UTF-8 at most.</param>
    public static string Text(string value, string field, int most)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        return bytes >= 1 && bytes <= most ? value : throw OutOfRange(field, "bytes", 1, most, bytes);
    }

    /// <summary>A name, 1 to <see cref="MaxName"/> bytes.</summary>
    public static string Name(string value, string field) => Text(value, field, MaxName);

    /// <summary>A text for people, which may be empty.</summary>
    public static string Reason(string value, string field)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        return bytes <= MaxReason ? value : throw OutOfRange(field, "bytes", 0, MaxReason, bytes);
    }

    /// <summary>Cuts a text for people to what the wire takes.</summary>
    public static string Cut(string reason)
    {
        // A character is at most three bytes of UTF-8 for each char of UTF-16.
        const int most = MaxReason / 3;
        if (reason.Length <= most)
        {
            return reason;
        }

        return string.Concat(reason.AsSpan(0, char.IsHighSurrogate(reason[most - 2]) ? most - 2 : most - 1), "…");
    }

    /// <summary>A number within a range.</summary>
    public static int Number(int value, string field, int least, int most) =>
        value >= least && value <= most ? value : throw OutOfRange(field, "", least, most, value);

    /// <summary>A number within a range.</summary>
    public static long Number(long value, string field, long least, long most) =>
        value >= least && value <= most ? value : throw OutOfRange(field, "", least, most, value);

    /// <summary>A part that must be there.</summary>
    public static T Present<T>(T? value, string field)
        where T : class => value ?? throw new SerializationException($"{field} is missing");

    private static SerializationException OutOfRange(string field, string unit, long least, long most, long was) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{field} must be {least} … {most}{(unit.Length == 0 ? "" : " ")}{unit} (was {was})"));
}
