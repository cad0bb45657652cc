using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// Points near the corners of the unit square: example i lies at corner i mod 4 of (0,0), (0,1), (1,0), (1,1), plus normal
/// noise in x and y; its label is 1 where the corner's coordinates differ.
/// </summary>
internal static class XorGenerator
{
    /// <summary>Makes a set.</summary>
    /// <param name="seed">The job's seed.</param>
    /// <param name="purpose">The key's purpose, one for each set.</param>
    /// <param name="count">Examples, ≥ 1.</param>
    /// <param name="noise">Standard deviation in x and y.</param>
    public static Examples Generate(long seed, string purpose, int count, double noise)
    {
        var points = PlanePoints.Allocate("xor", count);
        var labels = new int[count];
        var random = new Philox(seed, purpose, "xor");
        for (var i = 0; i < count; i++)
        {
            var (x, y) = ((i >> 1) & 1, i & 1);
            points[2 * i] = (float)(x + (noise * random.Normal(0, (uint)i, 0)));
            points[(2 * i) + 1] = (float)(y + (noise * random.Normal(1, (uint)i, 0)));
            labels[i] = x ^ y;
        }

        return Examples.OfFloats(new Shape(2), points, labels);
    }
}
