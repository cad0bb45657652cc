namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// Random numbers that depend on nothing but where they are used: <see cref="PlainMath"/>'s Philox, keyed by seed, purpose
/// and name.
/// </summary>
public sealed class PlainRandom(long seed, string purpose, string name)
{
    private readonly (uint K0, uint K1) _key = PlainMath.PhiloxKey(seed, purpose, name);

    /// <summary>Word of a stream: four words to a block.</summary>
    public uint Word(long element, int position, long step) => PlainMath.PhiloxWord(_key, element, (uint)position, step);

    /// <summary>A multiple of 2⁻²⁴ in [0, 1).</summary>
    public float Uniform(long element, int position, long step) =>
        PlainMath.PhiloxUniform(_key, element, (uint)position, step);

    /// <summary>From N(0, 1): a block to each element.</summary>
    public double Normal(long element) => PlainMath.PhiloxNormal(_key, element, 0, 0);
}
