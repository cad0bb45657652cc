using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// SHA-256 over a canonical form of a data set: for train, then test, one line of ASCII
/// (<c>train uint8 28,28 8000\n</c>, or <c>test none\n</c>), all features, all labels as int32, little-endian. The line
/// fixes all lengths, so no two sets share a form.
/// </summary>
internal static class DataFingerprint
{
    public static string Of(Examples train, Examples? test)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "train", train);
        Append(hash, "test", test);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, string name, Examples? examples)
    {
        if (examples is null)
        {
            hash.AppendData(Encoding.ASCII.GetBytes($"{name} none\n"));
            return;
        }

        var type = examples.FeatureType == FeatureType.UInt8 ? "uint8" : "float32";
        var shape = string.Join(',', examples.Shape.Axes);
        var header = string.Create(CultureInfo.InvariantCulture, $"{name} {type} {shape} {examples.Count}\n");
        hash.AppendData(Encoding.ASCII.GetBytes(header));
        hash.AppendData(examples.FeatureBytes);
        hash.AppendData(MemoryMarshal.AsBytes(examples.Labels));
    }
}
