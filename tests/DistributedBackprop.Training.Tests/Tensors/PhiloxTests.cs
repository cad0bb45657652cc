using CsCheck;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Tensors;

public class PhiloxTests
{
    // kat_vectors of Random123 1.14 (D. E. Shaw Research), philox4x32 10.
    [Theory]
    [InlineData(0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)]
    [InlineData(
        0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
        0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd)]
    [InlineData(
        0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
        0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1)]
    public void Blocks_are_the_published_ones(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint w0, uint w1, uint w2, uint w3)
    {
        new Philox(k0, k1).Block(c0, c1, c2, c3).ShouldBe((w0, w1, w2, w3));
        new Philox(k0, k1).Block(c0, c1, (long)(((ulong)c3 << 32) | c2)).ShouldBe((w0, w1, w2, w3));
    }

    [Fact]
    public void The_key_is_the_beginning_of_a_hash()
    {
        // sha256("7/dropout/dense1") begins with these bytes (by sha256sum).
        var expected = Convert.FromHexString("1409fe550b414604");
        new Philox(7, "dropout", "dense1").ShouldBe(new Philox(
            BitConverter.ToUInt32(expected, 0), BitConverter.ToUInt32(expected, 4)));
    }

    [Fact]
    public void Seed_purpose_name_position_and_step_each_make_other_numbers()
    {
        var word = new Philox(7, "dropout", "dense1").Word(5, 1, 2);
        new Philox(8, "dropout", "dense1").Word(5, 1, 2).ShouldNotBe(word);
        new Philox(-7, "dropout", "dense1").Word(5, 1, 2).ShouldNotBe(word);
        new Philox(7, "shuffle", "dense1").Word(5, 1, 2).ShouldNotBe(word);
        new Philox(7, "dropout", "dense2").Word(5, 1, 2).ShouldNotBe(word);
        new Philox(7, "dropout", "dense1").Word(6, 1, 2).ShouldNotBe(word);
        new Philox(7, "dropout", "dense1").Word(5, 2, 2).ShouldNotBe(word);
        new Philox(7, "dropout", "dense1").Word(5, 1, 3).ShouldNotBe(word);
        new Philox(7, "dropout", "dense1").Word(5, 1, 2 + (1L << 32)).ShouldNotBe(word);
    }

    [Fact]
    public void Fills_are_the_words_one_by_one_wherever_they_begin_and_end()
    {
        Gen.Select(Gen.Int[0, 70], Gen.Long[0, Philox.ElementsMax - 70], Gen.UInt, Gen.Long, Gen.Long[0, 9]).Sample(
            (length, anywhere, position, step, nearZero) =>
            {
                var philox = new Philox(3, "test", "fill");
                foreach (var first in new[] { anywhere, nearZero, Philox.ElementsMax - length })
                {
                    var words = new uint[length];
                    var uniform = new float[length];
                    philox.FillWords(words, first, position, step);
                    philox.FillUniform(uniform, first, position, step);
                    for (var i = 0; i < length; i++)
                    {
                        words[i].ShouldBe(philox.Word(first + i, position, step));
                        uniform[i].ShouldBe(philox.Uniform(first + i, position, step));
                        uniform[i].ShouldBe((words[i] >> 8) / 16777216f);
                    }
                }
            },
            iter: 300);
    }

    [Fact]
    public void Elements_outside_their_range_are_refused()
    {
        var philox = new Philox(0, "test", "");
        Should.Throw<ArgumentOutOfRangeException>(() => philox.Word(-1, 0, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => philox.Word(Philox.ElementsMax, 0, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => philox.FillWords(new uint[2], Philox.ElementsMax - 1, 0, 0));
    }

    [Fact]
    public void Uniform_numbers_fill_the_unit_interval_evenly()
    {
        var u = new float[1 << 16];
        new Philox(1, "test", "uniform").FillUniform(u, 0, 0, 0);
        u.Min().ShouldBeGreaterThanOrEqualTo(0f);
        u.Max().ShouldBeLessThan(1f);

        // Chi-squared with 63 degrees of freedom: above 126 once in a million keys; this key is fixed.
        var counts = new int[64];
        foreach (var x in u)
        {
            counts[(int)(x * 64)]++;
        }

        counts.Sum(c => (c - 1024.0) * (c - 1024.0) / 1024).ShouldBeInRange(25, 126);
        Philox.ToUniform(uint.MaxValue).ShouldBe(0.99999994f);
        Philox.ToUniform(0).ShouldBe(0f);
    }

    [Fact]
    public void Normal_numbers_have_the_moments_of_their_distribution()
    {
        var philox = new Philox(1, "test", "normal");
        var z = Enumerable.Range(0, 100_000).Select(i => philox.Normal((uint)i, 0, 0)).ToArray();
        z.Average().ShouldBe(0, 0.015);
        z.Average(x => x * x).ShouldBe(1, 0.02);
        z.Average(x => x * x * x).ShouldBe(0, 0.05);
        z.Average(x => x * x * x * x).ShouldBe(3, 0.15);
        z.ShouldAllBe(x => Math.Abs(x) <= 6.67);
    }
}
