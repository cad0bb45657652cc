using System.Data.Common;
using DistributedBackprop.Server.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DistributedBackprop.Server.Health;

/// <summary>Whether the database of jobs answers, where the node has one.</summary>
/// <param name="services">May know a <see cref="JobDatabase"/>.</param>
internal sealed class DatabaseHealth(IServiceProvider services) : IHealthCheck
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(3);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (services.GetService<JobDatabase>() is not { } database)
        {
            return HealthCheckResult.Healthy();
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_patience);
        try
        {
            await using var connection = await database.OpenStateAsync(deadline.Token);
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT 1";
            await command.ExecuteScalarAsync(deadline.Token);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is DbException or OperationCanceledException or InvalidOperationException)
        {
            // The message of the driver could name more than whoever asks here need know.
            return HealthCheckResult.Unhealthy($"{database} does not answer");
        }
    }
}
