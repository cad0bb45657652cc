using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Tensors;

/// <summary>
/// Hashes of what the functions return over a fixed set of numbers: the promise of equal bits holds between machines and
/// instruction sets, and these values carry it from one run to another. A changed hash is a changed promise: it takes a
/// new version, on purpose.
/// </summary>
public class GoldenBitsTests
{
    private static readonly float[] _numbers =
    [
        .. Reference.FloatsOfAllExponents(100),
        .. Enumerable.Range(-20_000, 40_000).Select(i => i * 5.4321e-4f),
    ];

    [Theory]
    [InlineData("exp", "2ad25a4ff40e8c71")]
    [InlineData("log", "1b9c0a299680044f")]
    [InlineData("tanh", "c26edc29a559f064")]
    [InlineData("erf", "481d3c6cb46b4a7e")]
    [InlineData("sin", "f77344e96577aedf")]
    [InlineData("cos", "3e1f854a6ce8b414")]
    [InlineData("gelu", "9e65aaad486ff4ad")]
    [InlineData("geluTanh", "e075e631d43304ec")]
    [InlineData("sigmoid", "0b52b943bc1f43bc")]
    [InlineData("uniform", "a3bc6e42fe832279")]
    [InlineData("normal", "2049134a7f87e8e8")]
    [InlineData("softmax", "19e435364763a200")]
    public void Bits_are_those_of_this_version(string name, string sha256)
    {
        var values = _numbers.ToArray();
        var philox = new Philox(1, "initialize", "dense1.weight");
        switch (name)
        {
            case "exp": Elementary.Exp(values, values); break;
            case "log": Elementary.Log(values, values); break;
            case "tanh": Elementary.Tanh(values, values); break;
            case "erf": Elementary.Erf(values, values); break;
            case "sin": Elementary.Sin(values, values); break;
            case "cos": Elementary.Cos(values, values); break;
            case "gelu": ActivationKernels.Gelu(values); break;
            case "geluTanh": ActivationKernels.GeluTanh(values); break;
            case "sigmoid": ActivationKernels.Sigmoid(values); break;
            case "uniform": philox.FillUniform(values, 0, 0, 0); break;
            case "normal": Fill(values, i => (float)philox.Normal((uint)i, 0, 0)); break;
            case "softmax":
                values = [.. values[^40_000..]];
                SoftmaxKernels.Softmax(values, values, 100);
                break;
            default: throw new ArgumentOutOfRangeException(nameof(name), name, "No such function.");
        }

        // Which NaN a product of two NaNs is, is not promised.
        Fill(values, i => BitConverter.Int32BitsToSingle(Reference.Bits(values[i])));
        Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())))[..16].ShouldBe(sha256);
    }

    private static void Fill(float[] values, Func<int, float> value)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = value(i);
        }
    }
}
