using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Whether calls can be answered: whether the cluster has a coordinator that answers.</summary>
/// <param name="gate">Knows where it is.</param>
internal sealed class ServiceHealth(CoordinatorGate gate) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var coordinator = gate.Members.FirstOrDefault(found => found.IsCoordinator).Member;
        return Task.FromResult(coordinator is not null && gate.IsReachable(coordinator)
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("no coordinator answers"));
    }
}
