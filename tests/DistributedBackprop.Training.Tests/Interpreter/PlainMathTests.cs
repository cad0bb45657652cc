using CsCheck;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

public class PlainMathTests
{
    private static readonly float[] _floats =
    [
        .. Reference.FloatsOfAllExponents(500),
        .. Enumerable.Range(-200_000, 400_000).Select(i => i * 5.4321e-4f),
    ];

    public static TheoryData<string, Func<float, float>, Func<float, float>> Functions => new()
    {
        { "exp", PlainMath.Exp, Elementary.Exp },
        { "log", PlainMath.Log, Elementary.Log },
        { "tanh", PlainMath.Tanh, Elementary.Tanh },
        { "erf", PlainMath.Erf, Elementary.Erf },
        { "sin", PlainMath.Sin, Elementary.Sin },
        { "cos", PlainMath.Cos, Elementary.Cos },
    };

    [Theory]
    [MemberData(nameof(Functions), DisableDiscoveryEnumeration = true)]
    public void The_plain_function_has_the_products_bits(string name, Func<float, float> plain, Func<float, float> product)
    {
        foreach (var x in _floats)
        {
            if (BitConverter.SingleToInt32Bits(plain(x)) != BitConverter.SingleToInt32Bits(product(x)))
            {
                Assert.Fail($"{name}({x:R}) is {plain(x):R} plainly and {product(x):R} in the product.");
            }
        }
    }

    [Fact]
    public void The_plain_functions_of_doubles_have_the_products_bits()
    {
        Gen.Double.Sample(x => Same(PlainMath.Log(x), ElementaryDouble.Log(x)), iter: 100_000);
        Gen.Double[0, 1].Sample(x => Same(PlainMath.Log(x), ElementaryDouble.Log(x)), iter: 100_000);
        Gen.Double[-1e6, 1e6].Sample(x => Same(PlainMath.Cos(x), ElementaryDouble.Cos(x)), iter: 100_000);
        Gen.Double[0, 2 * Math.PI].Sample(x => Same(PlainMath.Cos(x), ElementaryDouble.Cos(x)), iter: 100_000);
        Gen.Select(Gen.Double[0.5, 1.1], Gen.Long[0, 1_000_000]).Sample(
            (b, t) => Same(PlainMath.Power(b, t), ElementaryDouble.PowerBySquaring(b, t)), iter: 100_000);
    }

    [Fact]
    public void The_plain_random_numbers_are_the_products() =>
        Gen.Select(Gen.Long, Gen.String, Gen.String, Gen.Long[0, Philox.ElementsMax - 1], Gen.UInt, Gen.Long).Sample(
            (seed, purpose, name, element, position, step) =>
            {
                var philox = new Philox(seed, purpose, name);
                var key = PlainMath.PhiloxKey(seed, purpose, name);
                PlainMath.PhiloxWord(key, element, position, step).ShouldBe(philox.Word(element, position, step));
                PlainMath.PhiloxUniform(key, element, position, step).ShouldBe(philox.Uniform(element, position, step));
                var index = element / 4;
                PlainMath.PhiloxNormal(key, index, position, step).ShouldBe(philox.Normal((uint)index, position, step));
            },
            iter: 10_000);

    private static bool Same(double plain, double product) =>
        BitConverter.DoubleToInt64Bits(plain) == BitConverter.DoubleToInt64Bits(product);
}
