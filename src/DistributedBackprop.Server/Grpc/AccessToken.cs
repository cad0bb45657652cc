using System.Security.Cryptography;
using System.Text;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Server.Grpc;

/// <summary>What callers of the service must know. Its text never shows it.</summary>
public sealed class AccessToken
{
    /// <summary>The fewest characters of a token.</summary>
    public const int MinLength = 16;

    /// <summary>The most characters of a token.</summary>
    public const int MaxLength = 1024;

    private readonly byte[] _digest;
    private readonly string _text;

    /// <summary>Takes a text as the token.</summary>
    /// <param name="text">16 to 1,024 printable ASCII characters without spaces: it travels in a header.</param>
    /// <exception cref="ArgumentException">It is not such a text.</exception>
    public AccessToken(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length is < MinLength or > MaxLength || !text.All(c => c is > ' ' and <= '~'))
        {
            throw new ArgumentException($"A token has {MinLength} to {MaxLength} printable ASCII characters without spaces.", nameof(text));
        }

        _text = text;
        _digest = Digest(text);
    }

    /// <summary>A random token, 256 bits.</summary>
    public static AccessToken Random() => new(RandomNumberGenerator.GetHexString(64, lowercase: true));

    /// <summary>By what the nodes of one cluster know each other's calls: nobody else can derive it.</summary>
    public static AccessToken OfNodes(NodeSecret secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        return new(Convert.ToHexStringLower(HMACSHA256.HashData(secret.Bytes.Span, "service:"u8)));
    }

    /// <summary>Whether a text is the token; how long that takes does not depend on how much of it is right.</summary>
    public bool Matches(string text)
    {
        ArgumentNullException.ThrowIfNull(text);

        // Digests have one length, whatever the text's.
        return CryptographicOperations.FixedTimeEquals(Digest(text), _digest);
    }

    /// <summary>The header's value, for a caller alone.</summary>
    public string Bearer => $"Bearer {_text}";

    /// <summary>The token as text, for its file alone.</summary>
    internal string Reveal() => _text;

    /// <inheritdoc/>
    public override string ToString() => "(token)";

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
