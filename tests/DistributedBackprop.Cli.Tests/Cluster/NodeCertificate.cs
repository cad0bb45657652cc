using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>An authority and a certificate for nodes of this machine, as the files that a user would have.</summary>
internal static class NodeCertificate
{
    /// <summary>The coordinator of a run that speaks TLS with them.</summary>
    public static NodeOptions HeadWith(TlsFiles files) => new("coordinator", NodeSecret.Random())
    {
        Roles = [NodeOptions.Coordinator],
        Tls = files.Load(),
        TlsFiles = files,
    };

    /// <summary>Writes the files into a folder.</summary>
    public static TlsFiles Write(string folder)
    {
        var (now, day) = (DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var asked = new CertificateRequest("CN=authority", authorityKey, HashAlgorithmName.SHA256);
        asked.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = asked.CreateSelfSigned(now - day, now + day + day);

        using var key = RSA.Create(2048);
        asked = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        asked.CertificateExtensions.Add(names.Build());
        using var certificate = asked.Create(
            authority.SubjectName,
            X509SignatureGenerator.CreateForECDsa(authorityKey),
            now - (day / 2),
            now + day,
            RandomNumberGenerator.GetBytes(8));

        var files = new TlsFiles(
            Path.Combine(folder, "node.pem"), Path.Combine(folder, "node.key"), Path.Combine(folder, "authority.pem"));
        File.WriteAllText(files.Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(files.Key!, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(files.Authority, authority.ExportCertificatePem());
        return files;
    }
}
