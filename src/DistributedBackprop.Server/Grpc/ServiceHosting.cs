using System.Net;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.Hosting;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Health;
using DistributedBackprop.Server.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Puts the service into a node's host.</summary>
public static class ServiceHosting
{
    /// <summary>The largest message of <c>Training</c>, in bytes.</summary>
    public const int JobMessage = 4 << 20;

    /// <summary>The largest message of <c>Models</c>, in bytes: 64 MiB of numbers and what names them.</summary>
    public const int LargestMessage = (64 << 20) + 4096;

    /// <summary>
    /// The header by which a stream of events says that the coordinator has the job: a silent one is then no broken one.
    /// </summary>
    public const string Watching = "backprop-watching";

    private const int StreamsPerConnection = 100;

    /// <summary>Listens, serves, and tells other nodes where.</summary>
    /// <param name="web">The host's.</param>
    /// <param name="options">The node.</param>
    /// <param name="port">Where the port is told, once it is open.</param>
    /// <param name="healthPort">Where the port of its health is told.</param>
    internal static IWebHostBuilder UseService(this IWebHostBuilder web, NodeOptions options, ServicePort port, ServicePort healthPort)
    {
        var service = options.Service!;
        return web
            .ConfigureServices(services => services
                .Configure<KestrelServerOptions>(kestrel =>
                {
                    kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnection;

                    // A caller whose network is cut is let go of.
                    kestrel.Limits.Http2.KeepAlivePingDelay = Pings.Delay;
                    kestrel.Limits.Http2.KeepAlivePingTimeout = Pings.Timeout;
                    kestrel.Listen(service.EndPoint, listener => Listen(listener, options, port));
                    if (service.Health is { } health)
                    {
                        kestrel.ListenForHealth(health, healthPort);
                    }
                })
                .AddService(options))
            .Configure(app =>
            {
                app.UseHealth();
                app.UseMiddleware<ServiceAccess>();
                app.UseRouting();
                app.UseEndpoints(endpoints =>
                {
                    endpoints.MapGrpcService<TrainingService>();
                    endpoints.MapGrpcService<ModelsService>();
                    endpoints.MapGrpcHealthChecksService();
                    if (service.IsDevelopment)
                    {
                        endpoints.MapGrpcReflectionService();
                    }
                });
            });
    }

    /// <summary>Tells other nodes where the service is.</summary>
    internal static void AddServiceDoor(this AkkaConfigurationBuilder akka, NodeOptions options, ServicePort port) =>
        akka.WithActors((system, _) => system.ActorOf(
            ServiceDoor.Props(() => new ServiceDescribed(
                options.Name,
                ServiceDoor.EndPoint(options.PublicHost, port.Number),
                options.Tls is not null,
                options.IsWorker ? options.Threads : 0,
                Environment.ProcessId)),
            ServiceDoor.Name));

    private static void AddService(this IServiceCollection services, NodeOptions options)
    {
        var service = options.Service!;
        services.AddRouting();
        services.AddGrpc(grpc =>
            {
                grpc.MaxReceiveMessageSize = JobMessage;
                grpc.EnableDetailedErrors = service.IsDevelopment;
                if (options.Telemetry is not null)
                {
                    grpc.Interceptors.Add<TracedCalls>();
                }
            })
            .AddServiceOptions<ModelsService>(grpc => grpc.MaxReceiveMessageSize = LargestMessage);
        services.AddNodeHealth();
        services.AddGrpcHealthChecks(health => health.Services.Map("", check => check.Tags.Contains(HealthHosting.ReadyTag)));
        if (service.IsDevelopment)
        {
            services.AddGrpcReflection();
        }

        services.AddSingleton(new ServiceAccess(service.Token, AccessToken.OfNodes(options.Secret)));
        services.AddSingleton(provider => new CoordinatorGate(
            provider.GetRequiredService<ActorSystem>(), provider.GetRequiredService<IReadOnlyActorRegistry>(), options));
        services.AddSingleton<Calls>();
        services.AddSingleton<ClusterMembers>();
        services.AddSingleton(service.Jobs);
        services.AddSingleton<TrainingService>();
        services.AddSingleton<ModelsService>();
    }

    private static void Listen(ListenOptions listener, NodeOptions options, ServicePort port)
    {
        listener.Protocols = HttpProtocols.Http2;
        if (options.Tls is { } tls)
        {
            listener.UseHttps(ServerTls(tls, options.Service!.AsksForCertificates));
        }

        port.IsThatOf(() => listener.IPEndPoint);
    }

    private static HttpsConnectionAdapterOptions ServerTls(PlaneTls tls, bool asksForCertificates) => new()
    {
        ServerCertificate = tls.Certificate,
        ClientCertificateMode = asksForCertificates ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate,
        ClientCertificateValidation = (certificate, _, _) =>
        {
            using var chain = new X509Chain { ChainPolicy = tls.ChainPolicy() };
            return chain.Build(certificate);
        },
    };
}

/// <summary>The port of a service, known once it is open.</summary>
internal sealed class ServicePort
{
    private Func<IPEndPoint?>? _read;

    /// <summary>The port; 0 before it is open.</summary>
    public int Number => _read?.Invoke()?.Port ?? 0;

    /// <summary>Says where it will be known.</summary>
    public void IsThatOf(Func<IPEndPoint?> read) => _read = read;
}
