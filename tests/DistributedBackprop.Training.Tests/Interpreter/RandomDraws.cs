using CsCheck;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>Choices, drawn one after the other from CsCheck's generator; a failure prints the seed that repeats them.</summary>
public sealed class RandomDraws(PCG source)
{
    /// <summary>A whole number, both ends included.</summary>
    public int Between(int low, int high) => low + (int)source.Next((uint)(high - low + 1));

    /// <summary>True so many times in a hundred.</summary>
    public bool Percent(int chance) => Between(0, 99) < chance;

    /// <summary>A multiple of 2⁻²⁰ of the way from one number to another.</summary>
    public double Real(double low, double high) => low + ((high - low) * Between(0, 1 << 20) / (1 << 20));

    /// <summary>One of several.</summary>
    public T One<T>(params IReadOnlyList<T> of) => of[Between(0, of.Count - 1)];

    /// <summary>So many of something.</summary>
    public T[] Many<T>(int count, Func<T> draw) => [.. Enumerable.Range(0, count).Select(_ => draw())];
}
