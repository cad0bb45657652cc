using Akka.Actor;
using Akka.Cluster;
using DistributedBackprop.Server.Grpc;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DistributedBackprop.Server.Health;

/// <summary>Whether the node's actors run.</summary>
/// <param name="system">They.</param>
internal sealed class ActorsHealth(ActorSystem system) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(system.WhenTerminated.IsCompleted
            ? HealthCheckResult.Unhealthy("the node's actors have ended")
            : HealthCheckResult.Healthy());
}

/// <summary>Whether the cluster has taken the node, and it does not leave.</summary>
/// <param name="system">The node's actors.</param>
internal sealed class MemberHealth(ActorSystem system) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var status = Akka.Cluster.Cluster.Get(system).SelfMember.Status;
        return Task.FromResult(status == MemberStatus.Up
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy($"the node is no member that is up ({status})"));
    }
}

/// <summary>Whether calls can be answered: whether the cluster has a coordinator that can be reached.</summary>
/// <param name="gate">Knows where it is.</param>
internal sealed class CoordinatorHealth(CoordinatorGate gate) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var coordinator = gate.Members.FirstOrDefault(found => found.IsCoordinator).Member;
        return coordinator is not null
            && gate.IsReachable(coordinator)
            && (gate.IsHere(coordinator) || await gate.DescribeAsync(coordinator.Address, cancellationToken) is not null)
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("no coordinator answers");
    }
}
