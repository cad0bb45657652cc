namespace DistributedBackprop.Training.Data;

/// <summary>Memory for generated points in the plane.</summary>
internal static class PlanePoints
{
    /// <summary>Room for points, <c>[count, 2]</c>.</summary>
    /// <param name="set">How errors call the set.</param>
    /// <param name="count">Examples, ≥ 1.</param>
    /// <exception cref="DataException">The set would be too large for an array.</exception>
    public static float[] Allocate(string set, int count) => 2L * count <= Array.MaxLength
        ? new float[2 * count]
        : throw new DataException(set, $"{count} examples", $"1 … {Array.MaxLength / 2}");
}
