using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DistributedBackprop.Training.ChainRule;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// The identity of trained weights: SHA-256 of all parameters in graph order, little-endian float32, without gaps. It is
/// the hash of the data section of the exported safetensors file.
/// </summary>
public static class WeightsHash
{
    /// <summary>Hashes the parameters of a network.</summary>
    /// <param name="layers">In graph order; borrowed. Their vectors hold weight before bias without gaps.</param>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    public static string Of(IEnumerable<Parameters> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var layer in layers)
        {
            hash.AppendData(MemoryMarshal.AsBytes(layer.Vector.Floats));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
