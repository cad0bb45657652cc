using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>Writes the parameters with which a fresh network begins, each keyed by its full name.</summary>
internal static class Initialization
{
    private const string Purpose = "initialize";

    public static void Fill(Parameters parameters, Initializer initializer, string layer, long seed, int fanIn, int fanOut)
    {
        foreach (var slot in parameters.Layout.Slots)
        {
            var values = parameters[slot];
            var random = new Philox(seed, Purpose, $"{layer}.{slot.Name}");

            // Only the default draws biases too: the other distributions are derived for weights.
            if (slot.Name == "bias" && initializer.Kind != InitializerKind.Default)
            {
                values.Clear();
                continue;
            }

            Fill(values, initializer, random, fanIn, fanOut);
        }
    }

    private static void Fill(Span<float> values, Initializer initializer, Philox random, int fanIn, int fanOut)
    {
        switch (initializer.Kind)
        {
            case InitializerKind.Default:
                Uniform(values, random, 1 / Math.Sqrt(fanIn));
                break;
            case InitializerKind.HeUniform:
                Uniform(values, random, Math.Sqrt(6.0 / fanIn));
                break;
            case InitializerKind.XavierUniform:
                Uniform(values, random, Math.Sqrt(6.0 / ((double)fanIn + fanOut)));
                break;
            case InitializerKind.HeNormal:
                Normal(values, random, Math.Sqrt(2.0 / fanIn));
                break;
            case InitializerKind.XavierNormal:
                Normal(values, random, Math.Sqrt(2.0 / ((double)fanIn + fanOut)));
                break;
            case InitializerKind.Normal:
                Normal(values, random, initializer.StandardDeviation);
                break;
            case InitializerKind.Zeros:
                values.Clear();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(initializer), initializer.Kind, "Unknown initializer.");
        }
    }

    private static void Uniform(Span<float> values, Philox random, double bound)
    {
        random.FillUniform(values, 0, 0, 0);
        var scale = (float)bound;
        foreach (ref var value in values)
        {
            value = ((2 * value) - 1) * scale;
        }
    }

    private static void Normal(Span<float> values, Philox random, double standardDeviation)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)(random.Normal((uint)i, 0, 0) * standardDeviation);
        }
    }
}
