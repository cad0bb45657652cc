using System.Net;
using System.Text.Json;
using DistributedBackprop.Server.Grpc;
using DistributedBackprop.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DistributedBackprop.Server.Health;

/// <summary>
/// A port of plain HTTP on which whoever supervises a node asks whether it lives and is ready, without a token. Nothing
/// else is answered there, and nothing of a job is told.
/// </summary>
internal static class HealthHosting
{
    /// <summary>Whether the process lives: one that does not is to be started again.</summary>
    public const string Live = "/health/live";

    /// <summary>Whether the node can do its work: calls are better made elsewhere until it can.</summary>
    public const string Ready = "/health/ready";

    /// <summary>The tag of checks of <see cref="Live"/>.</summary>
    public const string LiveTag = "live";

    /// <summary>The tag of checks of <see cref="Ready"/>.</summary>
    public const string ReadyTag = "ready";

    /// <summary>The checks of a node.</summary>
    public static void AddNodeHealth(this IServiceCollection services) => services.AddHealthChecks()
        .AddCheck<ActorsHealth>("actors", tags: [LiveTag])
        .AddCheck<MemberHealth>("member", tags: [ReadyTag])
        .AddCheck<CoordinatorHealth>("coordinator", tags: [ReadyTag])
        .AddCheck<DatabaseHealth>("database", tags: [ReadyTag]);

    /// <summary>Tells the check of the database which one it is.</summary>
    /// <param name="services">The node's.</param>
    /// <param name="database">Null: the node has none.</param>
    public static IServiceCollection AddDatabaseHealth(this IServiceCollection services, JobDatabase? database) =>
        database is null ? services : services.AddSingleton(database);

    /// <summary>Listens.</summary>
    public static void ListenForHealth(this KestrelServerOptions kestrel, IPEndPoint endPoint, ServicePort port) =>
        kestrel.Listen(endPoint, listener =>
        {
            listener.Protocols = HttpProtocols.Http1;
            listener.Use(next => connection =>
            {
                connection.Features.Set(HealthDoor.Instance);
                return next(connection);
            });
            port.IsThatOf(() => listener.IPEndPoint);
        });

    /// <summary>Answers on that port, and there alone.</summary>
    public static void UseHealth(this IApplicationBuilder app) => app.MapWhen(
        context => context.Features.Get<HealthDoor>() is not null,
        health => health.UseHealthChecks(Live, Options(LiveTag)).UseHealthChecks(Ready, Options(ReadyTag)));

    private static HealthCheckOptions Options(string tag) => new()
    {
        Predicate = check => check.Tags.Contains(tag),
        ResponseWriter = WriteAsync,
    };

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(new
        {
            status = report.Status.ToString().ToLowerInvariant(),
            checks = report.Entries.ToDictionary(
                entry => entry.Key,
                entry => entry.Value.Status == HealthStatus.Healthy ? "healthy" : entry.Value.Description ?? "unhealthy"),
        }));
    }

    private sealed class HealthDoor
    {
        public static HealthDoor Instance { get; } = new();
    }
}
