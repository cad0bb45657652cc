using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

public sealed class PlainRandomTests
{
    // The known answers that Salmon et al. publish with their code (kat_vectors, philox4x32 with 10 rounds).
    [Theory]
    [InlineData("00000000 00000000 00000000 00000000", 0x00000000, 0x00000000, "6627e8d5 e169c58d bc57ac4c 9b00dbd8")]
    [InlineData("ffffffff ffffffff ffffffff ffffffff", 0xffffffff, 0xffffffff, "408f276d 41c83b0e a20bc7c6 6d5451fd")]
    [InlineData("243f6a88 85a308d3 13198a2e 03707344", 0xa4093822, 0x299f31d0, "d16cfe09 94fdcceb 5001e420 24126ea1")]
    public void Philox_gives_its_known_answers(string counter, uint key0, uint key1, string answer)
    {
        uint[] words = [.. counter.Split(' ').Select(w => Convert.ToUInt32(w, 16))];
        string.Join(' ', PlainMath.PhiloxRounds((key0, key1), words).Select(w => $"{w:x8}")).ShouldBe(answer);
    }

    [Fact]
    public void Normal_numbers_have_mean_0_and_deviation_1()
    {
        var random = new PlainRandom(1, "initialize", "test");
        var values = Enumerable.Range(0, 20_000).Select(e => random.Normal(e)).ToArray();
        values.Average().ShouldBe(0, 0.03);
        Math.Sqrt(values.Average(v => v * v)).ShouldBe(1, 0.03);
    }

    [Fact]
    public void Every_purpose_name_step_and_position_has_numbers_of_its_own()
    {
        var sources = new[] { new PlainRandom(1, "a", "x"), new(1, "a", "y"), new(1, "b", "x"), new(2, "a", "x") };
        var words = sources.SelectMany(s => new[] { s.Word(0, 0, 0), s.Word(1, 0, 0), s.Word(4, 0, 0), s.Word(0, 1, 0),
            s.Word(0, 0, 1), s.Word(0, 0, 1L << 32) });
        words.Distinct().Count().ShouldBe(24);
    }

    [Fact]
    public void Each_epoch_has_an_order_of_its_own_in_which_every_example_comes_once()
    {
        var job = XorByHand.Job();
        var shuffled = job with { Data = new XorData { Shuffle = true } };
        var orders = Enumerable.Range(0, 3).Select(e => PlainBatches.Order(shuffled, 37, e)).ToArray();
        orders.ShouldAllBe(o => o.Order().SequenceEqual(Enumerable.Range(0, 37)));
        orders.Select(o => string.Join(',', o)).Distinct().Count().ShouldBe(3);
        PlainBatches.Order(job, 5, 1).ShouldBe([0, 1, 2, 3, 4]);
    }
}
