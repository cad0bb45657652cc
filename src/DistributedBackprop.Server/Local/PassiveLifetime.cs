using Microsoft.Extensions.Hosting;

namespace DistributedBackprop.Server.Local;

/// <summary>A host that ends when its owner says so, and listens to no signals.</summary>
internal sealed class PassiveLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
