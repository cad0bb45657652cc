using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>How parameters begin (He et al. 2015, Glorot and Bengio 2010), bounds and deviations in double.</summary>
public static class PlainInitializers
{
    /// <summary>A weight <c>[out, in]</c>.</summary>
    public static float[] Weight(Initializer initializer, long seed, string name, int fanOut, int fanIn)
    {
        var length = fanOut * fanIn;
        var both = (double)fanIn + fanOut;
        return initializer.Kind switch
        {
            InitializerKind.Default => Uniform(seed, name, length, 1 / Math.Sqrt(fanIn)),
            InitializerKind.HeUniform => Uniform(seed, name, length, Math.Sqrt(6.0 / fanIn)),
            InitializerKind.XavierUniform => Uniform(seed, name, length, Math.Sqrt(6.0 / both)),
            InitializerKind.HeNormal => Normal(seed, name, length, Math.Sqrt(2.0 / fanIn)),
            InitializerKind.XavierNormal => Normal(seed, name, length, Math.Sqrt(2.0 / both)),
            InitializerKind.Normal => Normal(seed, name, length, initializer.StandardDeviation),
            InitializerKind.Zeros => new float[length],
            _ => throw new ArgumentException($"No interpretation of {initializer}.", nameof(initializer)),
        };
    }

    /// <summary>A bias <c>[out]</c>: zero, but by default like the weight.</summary>
    public static float[] Bias(Initializer initializer, long seed, string name, int fanOut, int fanIn) =>
        initializer.Kind == InitializerKind.Default
            ? Uniform(seed, name, fanOut, 1 / Math.Sqrt(fanIn))
            : new float[fanOut];

    private static float[] Uniform(long seed, string name, int length, double bound)
    {
        var random = new PlainRandom(seed, "initialize", name);
        var values = new float[length];
        for (var e = 0; e < length; e++)
        {
            values[e] = ((2 * random.Uniform(e, 0, 0)) - 1) * (float)bound;
        }

        return values;
    }

    private static float[] Normal(long seed, string name, int length, double deviation)
    {
        var random = new PlainRandom(seed, "initialize", name);
        var values = new float[length];
        for (var e = 0; e < length; e++)
        {
            values[e] = (float)(random.Normal(e) * deviation);
        }

        return values;
    }
}
