using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// <c>weightsSha256</c>: SHA-256 of parameters, then buffers, in graph order, as little-endian float32 without gaps: the
/// data section of the safetensors export, computed with or without a file.
/// </summary>
public sealed class WeightsHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Takes the next elements.</summary>
    public void Append(ReadOnlySpan<float> elements) => _hash.AppendData(MemoryMarshal.AsBytes(elements));

    /// <summary>The hash of everything so far, as 64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();
}
