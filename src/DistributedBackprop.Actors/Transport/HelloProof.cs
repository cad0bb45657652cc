using System.Security.Cryptography;

namespace DistributedBackprop.Actors.Transport;

/// <summary>Whose proof it is: so that neither end can prove itself with what the other has said.</summary>
public enum HelloRole : byte
{
    /// <summary>The end that opened the connection.</summary>
    Caller = 1,

    /// <summary>The end that took it.</summary>
    Receiver = 2,
}

/// <summary>
/// What shows that an end knows the run's secret: HMAC-SHA256 (RFC 2104) with the secret as its key, of the role (one
/// byte), the whole hello with the caller's nonce, and the receiver's nonce. Whoever listens learns nothing that opens
/// another connection, as one of the nonces will be another.
/// </summary>
public static class HelloProof
{
    /// <summary>Bytes of a proof.</summary>
    public const int Bytes = HMACSHA256.HashSizeInBytes;

    /// <summary>The proof of an end.</summary>
    /// <param name="role">Which end.</param>
    /// <param name="secret">What it knows.</param>
    /// <param name="hello">The hello as it was sent, its nonce included.</param>
    /// <param name="nonce">The receiver's nonce.</param>
    public static byte[] Of(HelloRole role, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> hello, ReadOnlySpan<byte> nonce)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        hmac.AppendData([(byte)role]);
        hmac.AppendData(hello);
        hmac.AppendData(nonce);
        return hmac.GetHashAndReset();
    }

    /// <summary>Whether a proof is right, compared in constant time.</summary>
    /// <param name="proof">The bytes of the other end.</param>
    /// <param name="role">The other end's.</param>
    /// <param name="secret">The run's.</param>
    /// <param name="hello">The hello.</param>
    /// <param name="nonce">The receiver's nonce.</param>
    public static bool IsRight(
        ReadOnlySpan<byte> proof,
        HelloRole role,
        ReadOnlySpan<byte> secret,
        ReadOnlySpan<byte> hello,
        ReadOnlySpan<byte> nonce) =>
        CryptographicOperations.FixedTimeEquals(proof, Of(role, secret, hello, nonce));
}
