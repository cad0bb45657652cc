using System.Security.Cryptography;
using System.Text;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// The functions of numbers that the plain interpreter needs, one number at a time, with branches instead of selected
/// lanes. It refers to nothing of the product: two codes that agree in every bit say more than one.
/// </summary>
internal static class PlainMath
{
    // ---- float32 ----

    public static float Exp(float x)
    {
        if (float.IsNaN(x))
        {
            return float.NaN;
        }

        if (x > 89f)
        {
            return float.PositiveInfinity;
        }

        if (x < -104f)
        {
            return 0f;
        }

        float n = NearestInteger(x, 1.442695041f);
        float r = Fma(n, -0.693147182f, x);
        r = Fma(n, 1.90465421e-9f, r);
        float p = Horner(
            r, 1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f);
        float y = Fma(p, r * r, r) + 1f;
        int exponent = (int)n;
        int firstHalf = exponent >= 0 ? exponent / 2 : -((1 - exponent) / 2);
        return y * TwoTo(firstHalf) * TwoTo(exponent - firstHalf);
    }

    public static float Log(float x)
    {
        if (x == 0f)
        {
            return float.NegativeInfinity;
        }

        if (float.IsNaN(x) || x < 0f)
        {
            return float.NaN;
        }

        if (float.IsPositiveInfinity(x))
        {
            return x;
        }

        // x = m·2^e with √½ ≤ m < √2
        int e = 0;
        while (BitConverter.SingleToInt32Bits(x) < 0x00800000)
        {
            x *= 2f;
            e--;
        }

        int bits = BitConverter.SingleToInt32Bits(x);
        e += (bits >> 23) - 127;
        float m = BitConverter.Int32BitsToSingle((bits & 0x7FFFFF) | 0x3F800000);
        if (BitConverter.SingleToInt32Bits(m) >= 0x3FB504F3)
        {
            m *= 0.5f;
            e++;
        }

        float f = m - 1f;
        float p = Horner(
            f,
            7.0376836292e-2f,
            -1.1514610310e-1f,
            1.1676998740e-1f,
            -1.2420140846e-1f,
            1.4249322787e-1f,
            -1.6668057665e-1f,
            2.0000714765e-1f,
            -2.4999993993e-1f,
            3.3333331174e-1f);
        float y = p * (f * f) * f;
        y = Fma(e, -2.12194440e-4f, y);
        y = Fma(-0.5f * f, f, y);
        y = f + y;
        return Fma(e, 0.693359375f, y);
    }

    public static float Tanh(float x)
    {
        if (float.IsNaN(x))
        {
            return float.NaN;
        }

        float a = MathF.Abs(x);
        float y;
        if (a < 0.625f)
        {
            float z = a * a;
            float p = Horner(
                z, -5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f, -3.33332819422e-1f);
            y = Fma(a * z, p, a);
        }
        else
        {
            y = 1f - (2f / (Exp(2f * a) + 1f));
        }

        return WithSignOf(y, x);
    }

    public static float Erf(float x)
    {
        if (float.IsNaN(x))
        {
            return float.NaN;
        }

        float a = MathF.Abs(x);
        float y;
        if (a < 0.9277f)
        {
            float p = Horner(
                a * a,
                7.99528643e-05f,
                -0.000804954499f,
                0.00519239344f,
                -0.0268557295f,
                0.112836257f,
                -0.376126289f,
                0.128379166f);
            y = Fma(a, p, a);
        }
        else
        {
            float t = a > 4f ? 4f : a;
            float q = Horner(
                t,
                -1.15231687e-05f,
                0.00032573237f,
                -0.00365439826f,
                0.0237873849f,
                -0.106266357f,
                -0.635133445f,
                -0.1286529f);
            y = 1f - Exp(Fma(q, t, -t));
        }

        return WithSignOf(y, x);
    }

    public static float Sin(float x)
    {
        if (float.IsNaN(x) || float.IsInfinity(x))
        {
            return float.NaN;
        }

        float y = SinOfQuarters(MathF.Abs(x), 0);
        return float.IsNegative(x) ? -y : y;
    }

    public static float Cos(float x) =>
        float.IsNaN(x) || float.IsInfinity(x) ? float.NaN : SinOfQuarters(MathF.Abs(x), 1);

    private static float SinOfQuarters(float a, int quarters)
    {
        if (a > 4194304f)
        {
            a = 0f;
        }

        float n = NearestInteger(a, 0.636619772f);
        float r = Fma(n, -1.57079637f, a);
        r = Fma(n, 4.37113883e-8f, r);
        r = Fma(n, 1.71512451e-15f, r);
        float z = r * r;
        int quarter = ((int)n + quarters) % 4;
        float y;
        if (quarter is 0 or 2)
        {
            y = Fma(r * z, Horner(z, -1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f), r);
        }
        else
        {
            float c = Horner(z, 2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f);
            y = Fma(z * z, c, Fma(z, -0.5f, 1f));
        }

        return quarter >= 2 ? -y : y;
    }

    private static float Horner(float x, params ReadOnlySpan<float> coefficients)
    {
        float y = coefficients[0];
        foreach (float coefficient in coefficients[1..])
        {
            y = Fma(y, x, coefficient);
        }

        return y;
    }

    /// <summary>The integer nearest to x·factor, the product not rounded before.</summary>
    private static float NearestInteger(float x, float factor)
    {
        float shifted = Fma(x, factor, 12582912f);
        return shifted - 12582912f;
    }

    private static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    private static float TwoTo(int n) => BitConverter.Int32BitsToSingle((n + 127) << 23);

    private static float WithSignOf(float magnitude, float sign) => float.IsNegative(sign) ? -magnitude : magnitude;

    // ---- double ----

    public static double Log(double x)
    {
        if (x == 0)
        {
            return double.NegativeInfinity;
        }

        if (double.IsNaN(x) || x < 0)
        {
            return double.NaN;
        }

        if (double.IsPositiveInfinity(x))
        {
            return x;
        }

        int e = 0;
        while (BitConverter.DoubleToInt64Bits(x) < 0x0010000000000000)
        {
            x *= 2;
            e--;
        }

        long bits = BitConverter.DoubleToInt64Bits(x);
        e += (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (BitConverter.DoubleToInt64Bits(m) >= 0x3FF6A09E667F3BCD)
        {
            m *= 0.5;
            e++;
        }

        double f = m - 1;
        double s = f / (2 + f);
        double z = s * s;
        double w = z * z;
        double t1 = w * (3.999999999940941908e-01 + (w * (2.222219843214978396e-01 + (w * 1.531383769920937332e-01))));
        double t2 = z * (6.666666666666735130e-01
            + (w * (2.857142874366239149e-01 + (w * (1.818357216161805012e-01 + (w * 1.479819860511658591e-01))))));
        double hfsq = 0.5 * f * f;
        return (e * 6.93147180369123816490e-01) - ((hfsq - ((s * (hfsq + (t1 + t2))) + (e * 1.90821492927058770002e-10))) - f);
    }

    /// <summary>|x| ≤ 10⁹.</summary>
    public static double Cos(double x)
    {
        double shifted = (x * 6.36619772367581382433e-01) + 6755399441055744.0;
        double n = shifted - 6755399441055744.0;
        double first = Math.FusedMultiplyAdd(n, -1.5707963267948966, x);
        double product = n * 6.123233995736766e-17;
        double productError = Math.FusedMultiplyAdd(n, 6.123233995736766e-17, -product);
        double r = first - product;
        double tail = (((first - r) - product) - productError) - (n * -1.4973849048591698e-33);
        double z = r * r;
        switch ((((int)n % 4) + 4) % 4)
        {
            case 0: return CosNearZero(r, z, tail);
            case 1: return -SinNearZero(r, z, tail);
            case 2: return -CosNearZero(r, z, tail);
            default: return SinNearZero(r, z, tail);
        }
    }

    /// <summary>bᵗ by squaring, t ≥ 0.</summary>
    public static double Power(double b, long t)
    {
        double r = 1;
        while (t > 0)
        {
            if (t % 2 == 1)
            {
                r *= b;
            }

            b *= b;
            t /= 2;
        }

        return r;
    }

    private static double SinNearZero(double x, double z, double tail)
    {
        double v = z * x;
        double p = 8.33333333332248946124e-03 + (z * (-1.98412698298579493134e-04 + (z * (2.75573137070700676789e-06
            + (z * (-2.50507602534068634195e-08 + (z * 1.58969099521155010221e-10)))))));
        return x - (((z * ((0.5 * tail) - (v * p))) - tail) - (v * -1.66666666666666324348e-01));
    }

    private static double CosNearZero(double x, double z, double tail)
    {
        double p = z * (4.16666666666666019037e-02 + (z * (-1.38888888888741095749e-03 + (z * (2.48015872894767294178e-05
            + (z * (-2.75573143513906633035e-07 + (z * (2.08757232129817482790e-09 + (z * -1.13596475577881948265e-11))))))))));
        double half = 0.5 * z;
        double w = 1 - half;
        return w + (((1 - w) - half) + ((z * p) - (x * tail)));
    }

    // ---- random numbers: Philox4x32-10 ----

    /// <summary>The key of "{seed}/{purpose}/{name}".</summary>
    public static (uint K0, uint K1) PhiloxKey(long seed, string purpose, string name)
    {
        FormattableString text = $"{seed}/{purpose}/{name}";
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant(text)));
        return (FourBytes(hash, 0), FourBytes(hash, 4));
    }

    /// <summary>The four words of counter (index, position, step low, step high).</summary>
    public static uint[] PhiloxBlock((uint K0, uint K1) key, uint index, uint position, long step) =>
        PhiloxRounds(key, [index, position, (uint)(step & 0xFFFFFFFF), (uint)((step >> 32) & 0xFFFFFFFF)]);

    public static uint[] PhiloxRounds((uint K0, uint K1) key, uint[] counter)
    {
        uint[] c = [.. counter];
        for (int round = 0; round < 10; round++)
        {
            uint k0 = unchecked(key.K0 + (uint)(round * 0x9E3779B9L));
            uint k1 = unchecked(key.K1 + (uint)(round * 0xBB67AE85L));
            ulong a = 0xD2511F53UL * c[0];
            ulong b = 0xCD9E8D57UL * c[2];
            c = [(uint)(b >> 32) ^ c[1] ^ k0, (uint)(b & 0xFFFFFFFF), (uint)(a >> 32) ^ c[3] ^ k1, (uint)(a & 0xFFFFFFFF)];
        }

        return c;
    }

    /// <summary>Word e &amp; 3 of block e &gt;&gt; 2.</summary>
    public static uint PhiloxWord((uint K0, uint K1) key, long element, uint position, long step) =>
        PhiloxBlock(key, (uint)(element / 4), position, step)[element % 4];

    /// <summary>The element's uniform number in [0, 1).</summary>
    public static float PhiloxUniform((uint K0, uint K1) key, long element, uint position, long step) =>
        (PhiloxWord(key, element, position, step) >> 8) / 16777216f;

    /// <summary>The element's standard normal number: Box–Muller on the first two words of its own block.</summary>
    public static double PhiloxNormal((uint K0, uint K1) key, long element, uint position, long step)
    {
        uint[] words = PhiloxBlock(key, (uint)element, position, step);
        double u1 = (words[0] + 1.0) / 4294967296.0;
        double u2 = words[1] / 4294967296.0;
        return Math.Sqrt(-2 * Log(u1)) * Cos(2 * Math.PI * u2);
    }

    private static uint FourBytes(byte[] bytes, int at) =>
        bytes[at] | ((uint)bytes[at + 1] << 8) | ((uint)bytes[at + 2] << 16) | ((uint)bytes[at + 3] << 24);
}
