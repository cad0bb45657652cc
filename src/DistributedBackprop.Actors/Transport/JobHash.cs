using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace DistributedBackprop.Actors.Transport;

/// <summary>How frames name a job.</summary>
public static class JobHash
{
    /// <summary>The first 8 bytes, little-endian, of the SHA-256 of a job's id in UTF-8.</summary>
    public static ulong Of(string job) =>
        BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(job)));
}
