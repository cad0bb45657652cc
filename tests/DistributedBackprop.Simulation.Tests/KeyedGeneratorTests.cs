using CsCheck;

namespace DistributedBackprop.Simulation.Tests;

public sealed class KeyedGeneratorTests
{
    [Fact]
    public void Draws_stay_within_their_bounds() =>
        Gen.Select(Gen.ULong, Gen.Int[1, int.MaxValue], Gen.Long, Gen.Long).Sample((seed, bound, a, b) =>
        {
            var generator = new KeyedGenerator(seed, "bounds");
            generator.Below(bound).ShouldBeInRange(0, bound - 1);
            generator.Between(Math.Min(a, b), Math.Max(a, b)).ShouldBeInRange(Math.Min(a, b), Math.Max(a, b));
            generator.Fraction().ShouldBeInRange(0, 1 - Math.Pow(2, -53));
        });

    [Fact]
    public void Seed_and_key_decide_the_stream()
    {
        ulong[] Stream(ulong seed, string key)
        {
            var generator = new KeyedGenerator(seed, key);
            return [.. Enumerable.Range(0, 8).Select(_ => generator.Next())];
        }

        Stream(1, "a").ShouldBe(Stream(1, "a"));
        Stream(1, "a").ShouldNotBe(Stream(1, "b"));
        Stream(1, "a").ShouldNotBe(Stream(2, "a"));
        new KeyedGenerator(1, "a").Next().ShouldBe(72369432947606188UL);
    }

    [Fact]
    public void Small_bounds_are_drawn_evenly()
    {
        var generator = new KeyedGenerator(3, "even");
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++)
        {
            counts[generator.Below(7)]++;
        }

        counts.ShouldAllBe(count => count > 9_600 && count < 10_400);
        Should.Throw<ArgumentOutOfRangeException>(() => generator.Below(0));
        Should.Throw<ArgumentOutOfRangeException>(() => generator.Between(2, 1));
    }
}
