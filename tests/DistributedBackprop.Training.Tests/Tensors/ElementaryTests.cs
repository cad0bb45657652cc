using CsCheck;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Tensors;

public class ElementaryTests
{
    /// <summary>A function under test: over spans, of one number, and what is right.</summary>
    public sealed record Function(
        string Name, Function.Over Spans, Func<float, float> One, Func<double, double> Exact, double UlpsMax, float AngleMax)
    {
        public delegate void Over(ReadOnlySpan<float> source, Span<float> destination);

        public override string ToString() => Name;
    }

    private static readonly Function[] _functions =
    [
        new("exp", Elementary.Exp, Elementary.Exp, Math.Exp, 1.1, float.MaxValue),
        new("log", Elementary.Log, Elementary.Log, Math.Log, 1.0, float.MaxValue),
        new("tanh", Elementary.Tanh, Elementary.Tanh, Math.Tanh, 2.0, float.MaxValue),
        new("erf", Elementary.Erf, Elementary.Erf, Reference.Erf, 2.0, float.MaxValue),
        new("sin", Elementary.Sin, Elementary.Sin, Math.Sin, 2.0, 1e4f),
        new("cos", Elementary.Cos, Elementary.Cos, Math.Cos, 2.0, 1e4f),
    ];

    public static TheoryData<string> Names => [.. _functions.Select(f => f.Name)];

    private static Function Named(string name) => _functions.Single(f => f.Name == name);

    [Theory]
    [MemberData(nameof(Names))]
    public void A_function_is_accurate_in_every_exponent(string name)
    {
        var f = Named(name);
        var x = Reference.FloatsOfAllExponents(400).Where(v => Math.Abs(v) <= f.AngleMax || !float.IsFinite(v)).ToArray();
        ShouldBeAccurate(f, x);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_function_is_accurate_where_it_bends(string name)
    {
        var f = Named(name);
        var x = Enumerable.Range(-200_000, 400_000).Select(i => i * 5.4321e-4f).ToArray();
        ShouldBeAccurate(f, x);
    }

    [Theory]
    [InlineData("sin")]
    [InlineData("cos")]
    public void Angles_next_to_multiples_of_a_quarter_turn_keep_their_accuracy(string name)
    {
        var x = Enumerable.Range(1, 6366).SelectMany(n =>
        {
            var nearest = (float)(n * Math.PI / 2);
            return new[] { MathF.BitDecrement(nearest), nearest, MathF.BitIncrement(nearest) };
        });
        ShouldBeAccurate(Named(name), [.. x.Where(v => v <= 1e4f)]);
    }

    [Theory]
    [InlineData("sin")]
    [InlineData("cos")]
    public void Huge_angles_give_something_between_minus_one_and_one(string name)
    {
        foreach (var x in Reference.FloatsOfAllExponents(50).Where(float.IsFinite))
        {
            Math.Abs(Named(name).One(x)).ShouldBeLessThanOrEqualTo(1f, $"{name}({x:R})");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void One_number_has_the_bits_of_a_lane(string name)
    {
        var f = Named(name);
        var x = Reference.FloatsOfAllExponents(40).ToArray();
        var y = new float[x.Length];
        f.Spans(x, y);
        for (var i = 0; i < x.Length; i++)
        {
            BitConverter.SingleToInt32Bits(f.One(x[i])).ShouldBe(BitConverter.SingleToInt32Bits(y[i]), $"{name}({x[i]:R})");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_length_gives_the_same_bits(string name)
    {
        var f = Named(name);
        Gen.Single.Array[40].Sample(
            x =>
            {
                var whole = new float[40];
                f.Spans(x, whole);
                for (var length = 0; length <= 40; length++)
                {
                    var part = new float[length + 1];
                    part[length] = 42f;
                    f.Spans(x.AsSpan(0, length), part.AsSpan(0, length));
                    for (var i = 0; i < length; i++)
                    {
                        BitConverter.SingleToInt32Bits(part[i]).ShouldBe(BitConverter.SingleToInt32Bits(whole[i]));
                    }

                    part[length].ShouldBe(42f);
                }
            },
            iter: 100);
    }

    [Fact]
    public void Source_and_destination_may_be_one_span()
    {
        float[] x = [1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f, 9f, 10f];
        float[] y = [.. x];
        Elementary.Log(y, y);
        y.ShouldBe(x.Select(Elementary.Log));
    }

    [Fact]
    public void Spans_of_different_lengths_are_refused() =>
        Should.Throw<ArgumentException>(() => Elementary.Exp(new float[3], new float[4])).Message.ShouldContain("3 and 4");

    [Theory]
    [InlineData("exp", float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData("exp", float.NegativeInfinity, 0f)]
    [InlineData("exp", 88.72284f, float.PositiveInfinity)]
    [InlineData("exp", -103.97209f, 0f)]
    [InlineData("exp", -103.5f, 1.4012985e-45f)]
    [InlineData("exp", -0f, 1f)]
    [InlineData("log", 0f, float.NegativeInfinity)]
    [InlineData("log", -1f, float.NaN)]
    [InlineData("log", -1e-45f, float.NaN)]
    [InlineData("log", float.NegativeInfinity, float.NaN)]
    [InlineData("log", float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData("log", 1f, 0f)]
    [InlineData("tanh", -0f, -0f)]
    [InlineData("tanh", float.PositiveInfinity, 1f)]
    [InlineData("tanh", float.NegativeInfinity, -1f)]
    [InlineData("erf", -0f, -0f)]
    [InlineData("erf", float.PositiveInfinity, 1f)]
    [InlineData("erf", float.NegativeInfinity, -1f)]
    [InlineData("erf", -1e-45f, -1e-45f)]
    [InlineData("sin", -0f, -0f)]
    [InlineData("sin", float.PositiveInfinity, float.NaN)]
    [InlineData("cos", -0f, 1f)]
    [InlineData("cos", float.NegativeInfinity, float.NaN)]
    public void Special_values_are_those_of_the_standard(string name, float x, float y) =>
        BitConverter.SingleToInt32Bits(Named(name).One(x)).ShouldBe(BitConverter.SingleToInt32Bits(y));

    [Fact]
    public void The_logarithm_of_minus_zero_is_minus_infinity() => Elementary.Log(-0f).ShouldBe(float.NegativeInfinity);

    [Theory]
    [MemberData(nameof(Names))]
    public void NaN_of_any_sign_and_payload_becomes_the_one_quiet_NaN(string name)
    {
        foreach (var bits in new uint[] { 0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF, 0x7FC12345 })
        {
            var y = Named(name).One(BitConverter.UInt32BitsToSingle(bits));
            BitConverter.SingleToInt32Bits(y).ShouldBe(BitConverter.SingleToInt32Bits(float.NaN));
        }
    }

    private static void ShouldBeAccurate(Function f, float[] x)
    {
        var y = new float[x.Length];
        f.Spans(x, y);
        for (var i = 0; i < x.Length; i++)
        {
            if (Reference.Ulps(y[i], f.Exact(x[i])) > f.UlpsMax)
            {
                Assert.Fail($"{f.Name}({x[i]:R}) = {y[i]:R} is {Reference.Ulps(y[i], f.Exact(x[i])):F2} ulp off.");
            }
        }
    }
}
