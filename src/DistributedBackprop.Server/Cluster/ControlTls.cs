using System.Security.Cryptography.X509Certificates;
using Akka.Hosting;
using Akka.Remote.Transport.DotNetty;
using DistributedBackprop.Actors.Transport;

namespace DistributedBackprop.Server.Cluster;

/// <summary>TLS of the control messages: the certificates and the trust of the tensor plane.</summary>
internal static class ControlTls
{
    private const string On = "akka.remote.dot-netty.tcp.enable-ssl = on";

    /// <summary>Whoever has a certificate that the authorities signed is a node, at whatever host.</summary>
    public static void AddControlTls(this AkkaConfigurationBuilder akka, PlaneTls tls) => akka
        .AddHocon(On, HoconAddMode.Prepend)
        .AddSetup(new DotNettySslSetup(
            tls.Certificate,
            suppressValidation: false,
            requireMutualAuthentication: tls.Mutual,
            customValidator: (certificate, _, _, _, _) => IsTrusted(tls, certificate)));

    private static bool IsTrusted(PlaneTls tls, X509Certificate2? certificate)
    {
        using var chain = new X509Chain { ChainPolicy = tls.ChainPolicy() };
        return certificate is not null && chain.Build(certificate);
    }
}
