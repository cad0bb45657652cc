using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedBackprop.Actors.Transport;

namespace DistributedBackprop.Server.Cluster;

/// <summary>TLS between nodes as files (PEM).</summary>
/// <param name="Certificate">The node's certificate.</param>
/// <param name="Key">The certificate's key; null where the certificate's file holds it.</param>
/// <param name="Authority">Who signs the certificates of nodes.</param>
public sealed record TlsFiles(string Certificate, string? Key, string Authority)
{
    /// <summary>Reads the files; both sides of a connection show a certificate.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file must not be read.</exception>
    /// <exception cref="CryptographicException">A file is not what it must be.</exception>
    /// <exception cref="ArgumentException">A file is not what it must be.</exception>
    public PlaneTls Load()
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(Authority);
        return new PlaneTls(X509Certificate2.CreateFromPemFile(Certificate, Key), authorities, Mutual: true);
    }
}
