using Akka.Actor;
using Akka.Hosting;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>Puts telemetry and the log of jobs into a node's host.</summary>
internal static class TelemetryHosting
{
    /// <summary>What brings measures and spans to the collector, where there is one.</summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services, NodeOptions options, TensorPlane plane)
    {
        if (options.Telemetry is { } telemetry)
        {
            services.AddSingleton(_ => new TelemetryExport(telemetry, options.Name, options.Version, plane));
            services.AddSingleton<TracedCalls>();
        }

        return services;
    }

    /// <summary>Has the jobs of a process without a network measured.</summary>
    /// <param name="system">Its actors.</param>
    /// <param name="options">Where to.</param>
    /// <param name="node">Names it.</param>
    /// <returns>What brings it there; the caller finishes it, and disposes of it when the actors are gone.</returns>
    public static TelemetryExport Observe(ActorSystem system, TelemetryOptions options, string node)
    {
        var telemetry = new TelemetryExport(options, node, ProgramVersion.Current, null);
        telemetry.Observer = system.ActorOf(TelemetryActor.Props(telemetry.Meter, telemetry.Traces), TelemetryActor.Name);
        return telemetry;
    }

    /// <summary>Has a coordinator's jobs logged, and measured where there is a collector.</summary>
    public static void AddJobObservers(this AkkaConfigurationBuilder akka, NodeOptions options)
    {
        if (!options.IsCoordinator)
        {
            return;
        }

        akka.WithActors((system, _, resolver) =>
        {
            var log = resolver.GetService<ILoggerFactory>().CreateLogger("DistributedBackprop.Jobs");
            system.ActorOf(JobLog.Props(log), JobLog.Name);
            if (options.Telemetry is not null)
            {
                var telemetry = resolver.GetService<TelemetryExport>();
                telemetry.Observer = system.ActorOf(TelemetryActor.Props(telemetry.Meter, telemetry.Traces), TelemetryActor.Name);
            }
        });
    }
}
