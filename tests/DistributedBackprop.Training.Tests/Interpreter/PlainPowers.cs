namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>Integer powers in double, by squaring.</summary>
public static class PlainPowers
{
    /// <summary>x to the power n ≥ 0.</summary>
    public static double Power(double x, long n)
    {
        var result = 1.0;
        while (n > 0)
        {
            if ((n & 1) == 1)
            {
                result *= x;
            }

            x *= x;
            n >>= 1;
        }

        return result;
    }
}
