using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DistributedBackprop.Actors.Transport;

/// <summary>Puts the tensor plane into a node's host.</summary>
public static class TensorPlaneHosting
{
    /// <summary>Lets Kestrel listen for tensors, and read into large blocks.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="plane">Who takes the connections.</param>
    /// <param name="endPoint">Where; port 0 for any, see <see cref="TensorPlane.EndPoint"/>.</param>
    public static IServiceCollection AddTensorPlane(this IServiceCollection services, TensorPlane plane, IPEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(plane);
        services.TryAddSingleton(new PinnedBlockPool());
        services.Replace(ServiceDescriptor.Singleton<IMemoryPoolFactory<byte>>(
            provider => provider.GetRequiredService<PinnedBlockPool>()));
        services.Configure<KestrelServerOptions>(
            kestrel => kestrel.Listen(endPoint, listener => listener.UseTensorPlane(plane)));
        return services;
    }

    /// <summary>Makes a listener one for tensors.</summary>
    public static ListenOptions UseTensorPlane(this ListenOptions listener, TensorPlane plane)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ArgumentNullException.ThrowIfNull(plane);

        // Before TLS: a handshake that stands still counts as much as a hello that does.
        listener.Use(next => async connection =>
        {
            using var ticket = plane.Admission.Enter(connection);
            connection.Features.Set(ticket);
            await next(connection).ConfigureAwait(false);
        });
        if (plane.Settings.Tls is { } tls)
        {
            listener.UseHttps(ServerTls(tls));
        }

        listener.Run(plane.OnConnectedAsync);
        plane.ListensAt(() => listener.IPEndPoint);
        return listener;
    }

    private static HttpsConnectionAdapterOptions ServerTls(PlaneTls tls) => new()
    {
        ServerCertificate = tls.Certificate,
        ClientCertificateMode = tls.Mutual ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate,
        ClientCertificateValidation = (certificate, _, _) =>
        {
            using var chain = new X509Chain { ChainPolicy = tls.ChainPolicy() };
            return chain.Build(certificate);
        },
    };
}
