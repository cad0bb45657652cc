using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Cli.Tests.Node;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>TLS between the processes of a run is one setting, and changes nothing but the bytes on the wire.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly CommandFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("off")]
    [InlineData("in the environment")]
    [InlineData("in appsettings.json")]
    public async Task With_it_and_without_it_the_weights_are_the_same(string tls)
    {
        var files = NodeCertificate.Write(_folder.Path);
        var environment = new Dictionary<string, string>();
        if (tls == "in the environment")
        {
            environment["BACKPROP__TLS__CERTIFICATE"] = files.Certificate;
            environment["BACKPROP__TLS__KEY"] = files.Key!;
            environment["BACKPROP__TLS__AUTHORITY"] = files.Authority;
        }
        else if (tls == "in appsettings.json")
        {
            await File.WriteAllTextAsync(
                _folder.At("appsettings.json"),
                """{ "Backprop": { "Tls": { "Certificate": "node.pem", "Key": "node.key", "Authority": "authority.pem" } } }""");
        }

        var job = ClusterJobs.ResidualFile(_folder, "1f1b", ClusterJobs.Gradients, epochs: 2);
        var run = await BackpropProcess.RunAsync(
            _folder.Path, environment, "train", job, "--nodes", "2", "--threads", "1", "--json");
        run.Sha256.ShouldBe(await ClusterJobs.InProcessAsync(JobRuns.Read(job, _folder.Path)));
        run.ShouldShowNoStackTrace();
        run.Last.GetProperty("nodes").GetInt32().ShouldBe(2);
        run.Last.GetProperty("statistics").GetProperty("averagingBytes").GetInt64().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Both_planes_of_every_node_speak_it()
    {
        var files = NodeCertificate.Write(_folder.Path);
        await using var cluster = await ClusterTraining.StartAsync(Nodes.Options(2) with { Head = NodeCertificate.HeadWith(files) }, _ => { });
        foreach (var node in cluster.Nodes)
        {
            await SpeakAsync(files.Load(), node.Description.Tensors!);
            await SpeakAsync(files.Load(), ControlOf(node));
        }
    }

    [Fact]
    public async Task Settings_of_it_that_cannot_be_are_told_before_anything_starts()
    {
        var run = await BackpropProcess.RunAsync(
            _folder.Path,
            new Dictionary<string, string> { ["BACKPROP__TLS__CERTIFICATE"] = "nowhere.pem" },
            "train", ExampleJob.PathOf("xor"), "--nodes", "2");
        run.ShouldEndWith(ExitCode.Invalid, "Backprop:Tls must name the files Certificate and Authority");
    }

    private static DnsEndPoint ControlOf(NodeInfo node) => new(node.Agent.Path.Address.Host!, node.Agent.Path.Address.Port!.Value);

    // Nobody but a node of this certificate's authority ends the handshake.
    private static async Task SpeakAsync(PlaneTls tls, DnsEndPoint address)
    {
        using var overdue = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, overdue.Token);
        await using var stream = new SslStream(client.GetStream());
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = address.Host,
                ClientCertificates = [tls.Certificate],
                CertificateChainPolicy = tls.ChainPolicy(),
            },
            overdue.Token);
        stream.SslProtocol.ShouldBeOneOf(SslProtocols.Tls12, SslProtocols.Tls13);
    }
}
