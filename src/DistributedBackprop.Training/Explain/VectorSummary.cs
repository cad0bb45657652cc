using System.Collections.Immutable;

namespace DistributedBackprop.Training.Explain;

/// <summary>A vector that is too long to be read: how long it is, how its elements are spread, and the largest ones.</summary>
/// <param name="Length">How many elements.</param>
/// <param name="Norm">√(Σ x²).</param>
/// <param name="Least">The least element.</param>
/// <param name="Greatest">The greatest element.</param>
/// <param name="Histogram">How many elements lie in each of <see cref="Bins"/> equal intervals from least to greatest.</param>
/// <param name="Largest">The elements of greatest absolute value, from the greatest down.</param>
public sealed record VectorSummary(
    int Length, double Norm, float Least, float Greatest, ImmutableArray<int> Histogram, ImmutableArray<Entry> Largest)
{
    /// <summary>Intervals of the histogram.</summary>
    public const int Bins = 16;

    private const int LargestShown = 6;

    /// <summary>Sums a vector up.</summary>
    public static VectorSummary Of(float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length == 0)
        {
            return new VectorSummary(0, 0, 0, 0, [], []);
        }

        var (least, greatest) = (values.Min(), values.Max());
        var counts = new int[Bins];
        foreach (var value in values)
        {
            var share = greatest > least ? ((double)value - least) / ((double)greatest - least) : 0;
            counts[Math.Min(Bins - 1, (int)(share * Bins))]++;
        }

        return new VectorSummary(
            values.Length,
            NormOf(values),
            least,
            greatest,
            [.. counts],
            [.. Enumerable.Range(0, values.Length).OrderByDescending(i => Math.Abs(values[i])).Take(LargestShown).Select(i => new Entry(i, values[i]))]);
    }

    /// <summary>√(Σ x²), in double precision.</summary>
    public static double NormOf(float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Math.Sqrt(values.Sum(value => (double)value * value));
    }
}

/// <summary>One element of a vector.</summary>
/// <param name="Index">Where it lies.</param>
/// <param name="Value">What it is.</param>
public readonly record struct Entry(int Index, float Value);
