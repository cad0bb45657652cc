using System.Security.Cryptography;
using System.Text;

namespace DistributedBackprop.Server.Cluster;

/// <summary>What all nodes of a cluster know, and nobody else. Its text never shows it.</summary>
public sealed class NodeSecret
{
    /// <summary>The fewest bytes of UTF-8.</summary>
    public const int MinBytes = 16;

    /// <summary>The most bytes of UTF-8.</summary>
    public const int MaxBytes = 1024;

    private readonly byte[] _bytes;

    /// <summary>Takes a text as the secret.</summary>
    /// <param name="text">16 to 1,024 bytes of UTF-8.</param>
    /// <exception cref="ArgumentException">It is shorter or longer.</exception>
    public NodeSecret(string text)
    {
        _bytes = Encoding.UTF8.GetBytes(text);
        if (!Fits(_bytes.Length))
        {
            throw new ArgumentException($"A secret has {MinBytes} to {MaxBytes} bytes.", nameof(text));
        }
    }

    /// <summary>Its bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>
    /// The name of the cluster's actor systems, of which a hash of the secret is part: Akka.Remote drops what is meant
    /// for a system of another name, so that whoever does not know the secret cannot join.
    /// </summary>
    public string SystemName =>
        $"backprop-{Convert.ToHexStringLower(SHA256.HashData([.. "cluster:"u8, .. _bytes]).AsSpan(0, 8))}";

    /// <summary>A random secret, 256 bits.</summary>
    public static NodeSecret Random() => new(RandomNumberGenerator.GetHexString(64, lowercase: true));

    /// <summary>Whether a secret may have so many bytes.</summary>
    internal static bool Fits(int bytes) => bytes is >= MinBytes and <= MaxBytes;

    /// <summary>The secret as text, for a pipe to a child process alone.</summary>
    internal string Reveal() => Encoding.UTF8.GetString(_bytes);

    /// <inheritdoc/>
    public override string ToString() => "(secret)";
}
