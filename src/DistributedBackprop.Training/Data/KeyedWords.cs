using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// The uniform 32-bit words of one purpose and name: a pure function of (seed, purpose, name, step, position, element).
/// </summary>
internal readonly struct KeyedWords
{
    private readonly uint _key0;
    private readonly uint _key1;

    public KeyedWords(long seed, string purpose, string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed}/{purpose}/{name}")), hash);
        _key0 = BinaryPrimitives.ReadUInt32LittleEndian(hash);
        _key1 = BinaryPrimitives.ReadUInt32LittleEndian(hash[4..]);
    }

    public void Fill(Span<uint> words, int firstElement, int position, ulong step)
    {
        for (var i = 0; i < words.Length; i += 4)
        {
            uint c0 = (uint)(firstElement + i) >> 2, c1 = (uint)position, c2 = (uint)step, c3 = (uint)(step >> 32);
            uint k0 = _key0, k1 = _key1;
            for (var round = 0; round < 10; round++)
            {
                var p0 = (ulong)0xD2511F53 * c0;
                var p1 = (ulong)0xCD9E8D57 * c2;
                (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
                k0 += 0x9E3779B9;
                k1 += 0xBB67AE85;
            }

            words[i] = c0;
            words[i + 1] = c1;
            words[i + 2] = c2;
            words[i + 3] = c3;
        }
    }
}
