using System.Globalization;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>Seeds of the day: other ones every day, and the same ones all day, so that whoever looks into a failure finds it again.</summary>
public static class FreshSeeds
{
    /// <summary>The first of today's.</summary>
    public static ulong First { get; } =
        ulong.Parse(DateTime.UtcNow.ToString("yyyyMMdd", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) * 1000;

    /// <summary>Some of today's.</summary>
    public static IEnumerable<ulong> Take(int count, int from = 0) =>
        Enumerable.Range(from, count).Select(number => First + (ulong)number);
}
