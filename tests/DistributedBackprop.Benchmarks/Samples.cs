using System.Globalization;

namespace DistributedBackprop.Benchmarks;

/// <summary>The same quantity measured in several rounds.</summary>
internal sealed class Samples
{
    private readonly List<double> _sorted = [];

    /// <summary>The middle one.</summary>
    public double Median => _sorted[_sorted.Count / 2];

    /// <summary>Adds a round.</summary>
    public void Add(double value)
    {
        var at = _sorted.BinarySearch(value);
        _sorted.Insert(at < 0 ? ~at : at, value);
    }

    /// <summary>Median and range in whole numbers.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Median,8:N0} ({_sorted[0]:N0} … {_sorted[^1]:N0})");
}
