using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Cluster;
using Microsoft.Extensions.Configuration;

namespace DistributedBackprop.Server.Tests.Cluster;

/// <summary>Authorities and certificates of nodes as the files that a user would have; gone afterwards.</summary>
internal sealed class CertificateFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("backprop-tls-").FullName;

    public NodeAuthority Authority(string name) => new(_path, name);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}

/// <summary>Signs certificates of nodes.</summary>
internal sealed class NodeAuthority
{
    private readonly string _folder;
    private readonly string _file;
    private readonly X509Certificate2 _certificate;

    public NodeAuthority(string folder, string name)
    {
        _folder = folder;
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        _file = Path.Combine(folder, $"{name}.pem");
        File.WriteAllText(_file, _certificate.ExportCertificatePem());
    }

    /// <summary>The TLS of a node, read from files as its settings would be.</summary>
    public PlaneTls Node(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(
            _certificate, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        var file = Path.Combine(_folder, $"{name}.pem");
        File.WriteAllText(file, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        return NodeOptionsReader.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Backprop:Secret"] = "read and not used here",
            ["Backprop:Roles"] = NodeOptions.Coordinator,
            ["Backprop:Tls:Certificate"] = file,
            ["Backprop:Tls:Authority"] = _file,
        }).Build()).Tls!;
    }
}
