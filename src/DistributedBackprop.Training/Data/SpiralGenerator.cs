using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// Points on interleaved spiral arms: example i lies on arm c = i mod classes, its label, at a distance t from the centre
/// drawn uniformly from 0 … 1 and at the angle 2π·(turns·t + c/classes), plus normal noise in x and y.
/// </summary>
internal static class SpiralGenerator
{
    private const double WordUnit = 1.0 / (1L << 32);

    /// <summary>Makes a set.</summary>
    /// <param name="seed">The job's seed.</param>
    /// <param name="purpose">The key's purpose, one for each set.</param>
    /// <param name="count">Examples, ≥ 1.</param>
    /// <param name="spirals">Arms, turns and noise.</param>
    public static Examples Generate(long seed, string purpose, int count, SpiralsData spirals)
    {
        var points = PlanePoints.Allocate("spirals", count);
        var labels = new int[count];
        var random = new Philox(seed, purpose, "spirals");
        for (var i = 0; i < count; i++)
        {
            var arm = i % spirals.Classes;
            var distance = random.Word(0, (uint)i, 0) * WordUnit;
            var angle = 2 * Math.PI * ((spirals.Turns * distance) + ((double)arm / spirals.Classes));
            points[2 * i] = (float)((distance * ElementaryDouble.Cos(angle)) + (spirals.Noise * random.Normal(1, (uint)i, 0)));
            points[(2 * i) + 1] =
                (float)((distance * ElementaryDouble.Sin(angle)) + (spirals.Noise * random.Normal(2, (uint)i, 0)));
            labels[i] = arm;
        }

        return Examples.OfFloats(new Shape(2), points, labels);
    }
}
