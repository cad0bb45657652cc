namespace DistributedBackprop.Training.Data;

/// <summary>What the generators of points in the plane share: memory, uniform and normal numbers in double.</summary>
internal static class PointCloud
{
    public static float[] Allocate(string set, int count) => 2L * count <= Array.MaxLength
        ? new float[2 * count]
        : throw new DataException(set, $"{count} examples", $"1 … {Array.MaxLength / 2}");

    public static double Uniform(KeyedWords random, int example, int block)
    {
        Span<uint> words = stackalloc uint[4];
        random.Fill(words, 4 * block, example, 0);
        return words[0] * (1.0 / 4294967296.0);
    }

    public static (double, double) NormalPair(KeyedWords random, int example, int block)
    {
        Span<uint> words = stackalloc uint[4];
        random.Fill(words, 4 * block, example, 0);
        var u1 = (words[0] + 1.0) * (1.0 / 4294967296.0);
        var radius = Math.Sqrt(-2 * Ln(u1));
        var angle = 2 * Math.PI * (words[1] * (1.0 / 4294967296.0));
        return (radius * Cos(angle), radius * Sin(angle));
    }

    // TEMPORARY until ElementaryDouble is merged.
    public static double Ln(double x) => x - 1;

    public static double Cos(double x) => 1 - x;

    public static double Sin(double x) => x;
}
