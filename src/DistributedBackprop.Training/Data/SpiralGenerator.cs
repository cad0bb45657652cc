using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// Points on interleaved spiral arms: example i lies on arm c = i mod classes, its label, at a distance t from the centre
/// drawn uniformly from 0 … 1 and at the angle 2π·(turns·t + c/classes), plus normal noise in x and y.
/// </summary>
internal static class SpiralGenerator
{
    /// <summary>Makes a set.</summary>
    /// <param name="seed">The job's seed.</param>
    /// <param name="purpose">The key's purpose, one for each set.</param>
    /// <param name="count">Examples, ≥ 1.</param>
    /// <param name="spirals">Arms, turns and noise.</param>
    public static Examples Generate(long seed, string purpose, int count, SpiralsData spirals)
    {
        var points = PointCloud.Allocate("spirals", count);
        var labels = new int[count];
        var random = new KeyedWords(seed, purpose, "spirals");
        for (var i = 0; i < count; i++)
        {
            var arm = i % spirals.Classes;
            var distance = PointCloud.Uniform(random, i, block: 0);
            var angle = 2 * Math.PI * ((spirals.Turns * distance) + ((double)arm / spirals.Classes));
            var (noiseX, noiseY) = PointCloud.NormalPair(random, i, block: 1);
            points[2 * i] = (float)((distance * PointCloud.Cos(angle)) + (spirals.Noise * noiseX));
            points[(2 * i) + 1] = (float)((distance * PointCloud.Sin(angle)) + (spirals.Noise * noiseY));
            labels[i] = arm;
        }

        return Examples.OfFloats(new Shape(2), points, labels);
    }
}
