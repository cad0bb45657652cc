using Microsoft.Extensions.Configuration;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>Where a node sends what it measures, by OpenTelemetry's protocol (OTLP).</summary>
/// <param name="Endpoint">The collector's address.</param>
public sealed record TelemetryOptions(Uri Endpoint)
{
    /// <summary>The standard variable of <see cref="Endpoint"/>; all others (<c>OTEL_…</c>) are heeded, too.</summary>
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Standard variables (<c>OTEL_…</c>) that go before those of the environment.</summary>
    public IReadOnlyDictionary<string, string?> Variables { get; init; } = new Dictionary<string, string?>();

    /// <summary>Reads it; null where no endpoint is set: then nothing is measured.</summary>
    /// <param name="configuration">The node's configuration, the environment included.</param>
    /// <param name="setting">The value of the node's own setting; it goes before the standard variable.</param>
    /// <param name="error">Is told what is wrong: the setting, and what it must be.</param>
    internal static TelemetryOptions? Read(IConfiguration configuration, string? setting, Action<string, string> error)
    {
        var text = setting ?? configuration[EndpointVariable];
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https")
        {
            return new TelemetryOptions(endpoint!);
        }

        error("OtlpEndpoint", $"(or {EndpointVariable}) must be http://HOST:PORT or https://HOST:PORT (was '{text}')");
        return null;
    }

    /// <summary>The standard variables as the exporter reads them.</summary>
    internal IConfiguration Configuration() => new ConfigurationBuilder()
        .AddEnvironmentVariables()
        .AddInMemoryCollection(Variables)
        .AddInMemoryCollection([KeyValuePair.Create(EndpointVariable, (string?)Endpoint.ToString())])
        .Build();
}
