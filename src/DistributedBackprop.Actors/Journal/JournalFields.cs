using System.Runtime.Serialization;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Checkpoints;
using Google.Protobuf;

namespace DistributedBackprop.Actors.Journal;

/// <summary>Checks what comes from a journal; each throws as those of <see cref="WireFields"/>.</summary>
internal static class JournalFields
{
    /// <summary>The longest text for a name, a path or a version, in bytes of UTF-8.</summary>
    public const int MaxText = 4096;

    private const int Sha256Digits = 64;

    /// <summary>A text that must be there.</summary>
    public static string Text(string value, string field) => WireFields.Text(value, field, MaxText);

    /// <summary>A text that an earlier version did not write: empty there.</summary>
    public static string TextOrNone(string value, string field) => value.Length == 0 ? value : Text(value, field);

    /// <summary>A text for people, which may be empty; what is written is cut.</summary>
    public static string Reason(string value, string field) => WireFields.Reason(value, field);

    /// <summary>A number, ≥ 1.</summary>
    public static long FromOne(long value, string field) => WireFields.Number(value, field, 1, long.MaxValue);

    /// <summary>A number, ≥ 0.</summary>
    public static long FromZero(long value, string field) => WireFields.Number(value, field, 0, long.MaxValue);

    /// <summary>A number, ≥ 0.</summary>
    public static int FromZero(int value, string field) => WireFields.Number(value, field, 0, int.MaxValue);

    /// <summary>A hash as 64 lower-case hexadecimal digits.</summary>
    public static string Sha256(string value, string field) =>
        value.Length == Sha256Digits && value.All(char.IsAsciiHexDigitLower)
            ? value
            : throw new SerializationException($"{field} must be {Sha256Digits} lower-case hexadecimal digits (was {value.Length} characters)");

    /// <summary>A hash as its bytes.</summary>
    public static ContentHash Hash(ByteString value, string field) => value.Length == ContentHash.Size
        ? ContentHash.FromBytes(value.Span)
        : throw new SerializationException($"{field} must be {ContentHash.Size} bytes (was {value.Length})");

    /// <summary>The bits of a double.</summary>
    public static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);

    /// <summary>A double from its bits: any of them is one.</summary>
    public static double Double(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    /// <summary>A double that may be missing.</summary>
    public static double? Double(bool isThere, ulong bits) => isThere ? Double(bits) : null;
}
