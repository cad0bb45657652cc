using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedBackprop.Server.Grpc;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// A certificate authority for development in a folder, and certificates that it signs: for the control messages, the
/// tensors and the service of nodes, as server and as client. Keys can be read by their owner alone.
/// </summary>
public static class DevelopmentCertificates
{
    /// <summary>The file of the authority's certificate: what others trust.</summary>
    public const string AuthorityFile = "authority.pem";

    /// <summary>The file of the authority's key: what signs.</summary>
    public const string AuthorityKeyFile = "authority-key.pem";

    private static readonly TimeSpan _clocksDiffer = TimeSpan.FromHours(1);

    /// <summary>Writes the certificates; where the folder has an authority already, that one signs.</summary>
    /// <param name="folder">The folder; made where it is not there.</param>
    /// <param name="nodes">Host names or IP addresses, one certificate for each, in a file of that name.</param>
    /// <param name="validFor">From now on.</param>
    /// <param name="also">Names or addresses under which any of them is reached, too; null: none.</param>
    /// <returns>The files that were written.</returns>
    /// <exception cref="IOException">A file cannot be written or read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file must not be written or read.</exception>
    /// <exception cref="CryptographicException">The authority in the folder is none.</exception>
    public static IReadOnlyList<string> Write(
        string folder, IReadOnlyList<string> nodes, TimeSpan validFor, IReadOnlyList<string>? also = null)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        Directory.CreateDirectory(folder);
        var written = new List<string>();
        var (from, to) = (DateTimeOffset.UtcNow - _clocksDiffer, DateTimeOffset.UtcNow + validFor);
        using var authority = Authority(folder, from, to, written);
        foreach (var node in nodes)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={node}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
                [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
            request.CertificateExtensions.Add(Names([node, .. also ?? []]));
            var end = to < authority.NotAfter ? to : authority.NotAfter;
            using var certificate = request.Create(authority, from < authority.NotBefore ? authority.NotBefore : from, end, RandomNumberGenerator.GetBytes(16));
            var path = Path.Combine(folder, $"{node.Replace(':', '_')}.pem");
            PrivateFile.Write(path, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}");
            written.Add(path);
        }

        return written;
    }

    /// <summary>
    /// Makes what the nodes of a cluster and the callers of its service know, in the files <c>secret</c> and <c>token</c>
    /// beside the certificates; what is there stays.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="IOException">A file can neither be read nor made, or others than its owner can read it.</exception>
    /// <exception cref="UnauthorizedAccessException">A file must not be read or made.</exception>
    public static void MintSecrets(string folder)
    {
        PrivateFile.ReadOrMint(Path.Combine(folder, "secret"), () => NodeSecret.Random().Reveal());
        PrivateFile.ReadOrMint(Path.Combine(folder, "token"), () => AccessToken.Random().Reveal());
    }

    private static X509Certificate2 Authority(string folder, DateTimeOffset from, DateTimeOffset to, List<string> written)
    {
        var path = Path.Combine(folder, AuthorityFile);
        var keyPath = Path.Combine(folder, AuthorityKeyFile);
        if (File.Exists(path))
        {
            return X509Certificate2.CreateFromPemFile(path, keyPath);
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=backprop development authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var certificate = request.CreateSelfSigned(from, to);
        PrivateFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(path, $"{certificate.ExportCertificatePem()}\n");
        written.AddRange([path, keyPath]);
        return certificate;
    }

    // Every node is also reached from its own machine.
    private static X509Extension Names(IReadOnlyList<string> own)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in own.Concat(["localhost", "127.0.0.1", "::1"]).Distinct(StringComparer.Ordinal))
        {
            if (IPAddress.TryParse(name, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(name);
            }
        }

        return names.Build();
    }
}
