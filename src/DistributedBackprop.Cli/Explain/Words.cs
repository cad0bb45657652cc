using System.Globalization;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Explain;

/// <summary>Numbers and names as people read them.</summary>
internal static class Words
{
    /// <summary>A number of four digits.</summary>
    public static string Number(double value) => (value.ToString("G4", CultureInfo.InvariantCulture) switch
    {
        var text when text.Contains('E', StringComparison.Ordinal) =>
            value.ToString("0.###e+0", CultureInfo.InvariantCulture).Replace("e+", "e", StringComparison.Ordinal),
        var text => text,
    }).Replace('-', '−');

    /// <summary>A whole number with thousands set off.</summary>
    public static string Count(System.Numerics.BigInteger value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A whole number and its noun.</summary>
    public static string Count(int value, string noun) => $"{Count(value)} {noun}{(value == 1 ? "" : "s")}";

    /// <summary>So many steps.</summary>
    public static string Steps(long count) => $"{Count(count)} step{(count == 1 ? "" : "s")}";

    /// <summary>A share in percent.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");

    /// <summary>An enumeration's member as job files write it.</summary>
    public static string Name(Enum value)
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    /// <summary>A layer's kind as job files write it.</summary>
    public static string KindOf(LayerKind kind) => kind switch
    {
        ActivationKind activation => Name(activation.Activation.Function),
        _ => kind.GetType().Name is var name ? char.ToLowerInvariant(name[0]) + name[1..^"Kind".Length] : "",
    };
}
