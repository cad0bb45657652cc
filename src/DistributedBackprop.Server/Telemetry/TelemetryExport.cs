using System.Diagnostics;
using System.Diagnostics.Metrics;
using Akka.Actor;
using DistributedBackprop.Actors.Transport;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>
/// The telemetry of a node: its meter, its source of traces, and what brings both to a collector, which may be away:
/// nothing waits for it. Disposing sends what is left.
/// </summary>
internal sealed class TelemetryExport : IDisposable
{
    private const int SendRestWithinMilliseconds = 3000;

    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    /// <param name="options">Where to.</param>
    /// <param name="node">The node's name.</param>
    /// <param name="version">Its version.</param>
    /// <param name="plane">Its tensor plane; null in a process without a network.</param>
    public TelemetryExport(TelemetryOptions options, string node, string version, TensorPlane? plane)
    {
        Meter = new Meter(Measures.Source, version);
        Traces = new ActivitySource(Measures.Source, version);
        if (plane is not null)
        {
            NodeMeasures.Create(Meter, plane);
        }

        var resource = ResourceBuilder.CreateDefault()
            .AddService("backprop", serviceVersion: version, serviceInstanceId: node)
            .AddEnvironmentVariableDetector();
        var configuration = options.Configuration();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(configuration))
            .SetResourceBuilder(resource)
            .AddMeter(Measures.Source, "System.Runtime")
            .AddOtlpExporter()
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(configuration))
            .SetResourceBuilder(resource)
            .AddSource(Measures.Source)
            .AddOtlpExporter()
            .Build();
    }

    /// <summary>Measures.</summary>
    public Meter Meter { get; }

    /// <summary>Makes spans.</summary>
    public ActivitySource Traces { get; }

    /// <summary>Who hears of jobs, once it is there; null on nodes that do not coordinate.</summary>
    public IActorRef? Observer { get; set; }

    /// <summary>Waits until the observer has heard all that was told so far, and stops it.</summary>
    public async Task FinishAsync()
    {
        if (Observer is not { } observer)
        {
            return;
        }

        try
        {
            await observer.GracefulStop(TimeSpan.FromMilliseconds(SendRestWithinMilliseconds));
        }
        catch (TaskCanceledException)
        {
            // What it has not heard is not measured; nothing waits for that.
        }
    }

    public void Dispose()
    {
        _metrics.Shutdown(SendRestWithinMilliseconds);
        _traces.Shutdown(SendRestWithinMilliseconds);
        _metrics.Dispose();
        _traces.Dispose();
        Meter.Dispose();
        Traces.Dispose();
    }
}
