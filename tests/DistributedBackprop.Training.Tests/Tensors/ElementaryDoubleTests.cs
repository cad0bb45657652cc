using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Tensors;

public class ElementaryDoubleTests
{
    // The references are correct to about half a unit themselves.
    private const double UlpsMax = 2.0;

    [Fact]
    public void Log_is_accurate_in_every_exponent()
    {
        for (var exponent = -1074; exponent < 1024; exponent++)
        {
            for (var i = 0; i < 200; i++)
            {
                var x = Math.ScaleB(1 + (i * 0.618033988749895 % 1), exponent);
                ShouldBeNear(ElementaryDouble.Log(x), Math.Log(x), $"log({x:R})");
            }
        }
    }

    [Fact]
    public void Log_is_accurate_near_one()
    {
        for (var i = -100_000; i < 100_000; i++)
        {
            var x = 1 + (i * 4.4e-6);
            ShouldBeNear(ElementaryDouble.Log(x), Math.Log(x), $"log({x:R})");
        }
    }

    [Fact]
    public void Exp_is_accurate()
    {
        for (var i = -100_000; i < 100_000; i++)
        {
            var x = i * 0.00708;
            ShouldBeNear(ElementaryDouble.Exp(x), Math.Exp(x), $"exp({x:R})");
        }
    }

    [Fact]
    public void Sin_and_Cos_are_accurate()
    {
        for (var i = -200_000; i < 200_000; i++)
        {
            foreach (var x in new[] { i * 1.2345678e-5, i * 5.0000123 })
            {
                ShouldBeNear(ElementaryDouble.Cos(x), Math.Cos(x), $"cos({x:R})");
                ShouldBeNear(ElementaryDouble.Sin(x), Math.Sin(x), $"sin({x:R})");
            }
        }
    }

    [Fact]
    public void Sin_and_Cos_are_accurate_next_to_their_zeros()
    {
        for (var n = 1; n < 600_000; n += 7)
        {
            var x = n * (Math.PI / 2);
            ShouldBeNear(ElementaryDouble.Cos(x), Math.Cos(x), $"cos({x:R})");
            ShouldBeNear(ElementaryDouble.Sin(-x), Math.Sin(-x), $"sin({-x:R})");
        }
    }

    [Fact]
    public void Special_values_are_those_of_the_standard()
    {
        ElementaryDouble.Log(0).ShouldBe(double.NegativeInfinity);
        ElementaryDouble.Log(-0.0).ShouldBe(double.NegativeInfinity);
        ElementaryDouble.Log(-1).ShouldBe(double.NaN);
        ElementaryDouble.Log(double.NaN).ShouldBe(double.NaN);
        ElementaryDouble.Log(double.PositiveInfinity).ShouldBe(double.PositiveInfinity);
        ElementaryDouble.Log(1).ShouldBe(0);
        ElementaryDouble.Exp(0).ShouldBe(1);
        ElementaryDouble.Exp(709.79).ShouldBe(double.PositiveInfinity);
        ElementaryDouble.Exp(double.PositiveInfinity).ShouldBe(double.PositiveInfinity);
        ElementaryDouble.Exp(double.NegativeInfinity).ShouldBe(0);
        ElementaryDouble.Exp(-745.2).ShouldBe(0);
        ElementaryDouble.Exp(-745.0).ShouldBe(double.Epsilon);
        ElementaryDouble.Exp(double.NaN).ShouldBe(double.NaN);
        ElementaryDouble.Cos(0).ShouldBe(1);
        double.IsNegative(ElementaryDouble.Sin(-0.0)).ShouldBeTrue();
        ElementaryDouble.Cos(double.NaN).ShouldBe(double.NaN);
        ElementaryDouble.Cos(double.PositiveInfinity).ShouldBe(double.NaN);
        ElementaryDouble.Sin(2 * ElementaryDouble.LargestAngle).ShouldBe(double.NaN);
    }

    [Theory]
    [InlineData(0.9)]
    [InlineData(0.999)]
    [InlineData(1.0)]
    [InlineData(-1.5)]
    public void Powers_are_right_within_their_roundings(double b)
    {
        for (var t = 0; t < 300; t++)
        {
            var relative = (ElementaryDouble.PowerBySquaring(b, t) / Math.Pow(b, t)) - 1;
            Math.Abs(relative).ShouldBeLessThan((t + 1) * 2.3e-16, $"{b}^{t}");
        }
    }

    [Fact]
    public void The_zeroth_power_is_one_and_a_negative_one_is_refused()
    {
        ElementaryDouble.PowerBySquaring(0, 0).ShouldBe(1);
        ElementaryDouble.PowerBySquaring(3, 5).ShouldBe(243);
        ElementaryDouble.PowerBySquaring(0.999, long.MaxValue).ShouldBe(0);
        Should.Throw<ArgumentOutOfRangeException>(() => ElementaryDouble.PowerBySquaring(2, -1));
    }

    private static void ShouldBeNear(double actual, double exact, string what)
    {
        // Below the normal range a unit in the last place is the smallest denormal.
        if (Math.Abs(actual - exact) > UlpsMax * Math.Max(Math.BitIncrement(Math.Abs(exact)) - Math.Abs(exact), double.Epsilon))
        {
            Assert.Fail($"{what} = {actual:R}, but is {exact:R}.");
        }
    }
}
