using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DistributedBackprop.Cli.Tests.Telemetry;

/// <summary>A metric as it came: its name, its unit, and the value or the count of its newest points by their attributes.</summary>
internal sealed record ReceivedMetric(string Name, string Unit, IReadOnlyDictionary<string, double> Points);

/// <summary>A span as it came.</summary>
internal sealed record ReceivedSpan(string Name, string TraceId, string SpanId, string ParentId, ulong Start, ulong End, string Attributes);

/// <summary>
/// A collector: OTLP over HTTP and protobuf, read by the field numbers of OpenTelemetry's specification. It can be asked
/// what has come so far.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly IHost _host;

    private OtlpReceiver() => _host = new HostBuilder().ConfigureWebHost(web => web
        .UseKestrelCore()
        .ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0))
        .Configure(app => app.Run(TakeAsync))).Build();

    public ConcurrentDictionary<string, ReceivedMetric> Metrics { get; } = new();

    public ConcurrentQueue<ReceivedSpan> Spans { get; } = [];

    /// <summary>The attributes of those who sent, as text.</summary>
    public ConcurrentDictionary<string, byte> Resources { get; } = new();

    public string Address => _host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        await receiver._host.StartAsync();
        return receiver;
    }

    /// <summary>The variables by which a program sends here, twice a second.</summary>
    public Dictionary<string, string> Variables() => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Address,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
    };

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        foreach (var resource in Messages(body.ToArray(), 1))
        {
            Resources.TryAdd(string.Join(' ', Messages(resource, 1).SelectMany(described => Messages(described, 1)).Select(Attribute).Order(StringComparer.Ordinal)), 0);
            foreach (var item in Messages(resource, 2).SelectMany(scope => Messages(scope, 2)))
            {
                if (context.Request.Path == "/v1/metrics")
                {
                    Take(item);
                }
                else
                {
                    context.Request.Path.Value.ShouldBe("/v1/traces");
                    Spans.Enqueue(SpanOf(item));
                }
            }
        }

        context.Response.ContentType = "application/x-protobuf";
    }

    // Metric: name 1, unit 3, gauge 5, sum 7, histogram 9; each of the last three has its points in 1.
    private void Take(byte[] metric)
    {
        var points = new Dictionary<string, double>();
        foreach (var kind in new[] { 5, 7, 9 })
        {
            foreach (var point in Messages(metric, kind).SelectMany(data => Messages(data, 1)))
            {
                // A number: attributes 7, as_double 4, as_int 6; a histogram: attributes 9, count 4.
                var attributes = string.Join(' ', Messages(point, kind == 9 ? 9 : 7).Select(Attribute).Order(StringComparer.Ordinal));
                points[attributes] = kind == 9
                    ? Fixed(point, 4)
                    : Fixed(point, 6) is var whole and not 0 ? whole : BitConverter.UInt64BitsToDouble(Fixed(point, 4));
            }
        }

        Metrics[Text(metric, 1)] = new ReceivedMetric(Text(metric, 1), Text(metric, 3), points);
    }

    // Span: trace_id 1, span_id 2, parent_span_id 4, name 5, start 7, end 8, attributes 9.
    private static ReceivedSpan SpanOf(byte[] span) => new(
        Text(span, 5),
        Convert.ToHexStringLower(Messages(span, 1).Single()),
        Convert.ToHexStringLower(Messages(span, 2).Single()),
        Convert.ToHexStringLower(Messages(span, 4).SingleOrDefault() ?? []),
        Fixed(span, 7),
        Fixed(span, 8),
        string.Join(' ', Messages(span, 9).Select(Attribute).Order(StringComparer.Ordinal)));

    // KeyValue: key 1, value 2; AnyValue: string 1, int 3.
    private static string Attribute(byte[] pair)
    {
        var value = Messages(pair, 2).Single();
        return $"{Text(pair, 1)}={(Fields(value).Any(field => field.Number == 1) ? Text(value, 1) : Fields(value).First().Value)}";
    }

    private static string Text(byte[] message, int number) => Encoding.UTF8.GetString(Messages(message, number).FirstOrDefault() ?? []);

    private static ulong Fixed(byte[] message, int number) =>
        Fields(message).Where(field => field.Number == number && field.Bytes is null).Select(field => field.Value).FirstOrDefault();

    private static IEnumerable<byte[]> Messages(byte[] message, int number) =>
        Fields(message).Where(field => field.Number == number && field.Bytes is not null).Select(field => field.Bytes!);

    private static List<(int Number, byte[]? Bytes, ulong Value)> Fields(byte[] message)
    {
        var fields = new List<(int, byte[]?, ulong)>();
        using var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag and not 0)
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            switch (WireFormat.GetTagWireType(tag))
            {
                case WireFormat.WireType.LengthDelimited:
                    fields.Add((number, input.ReadBytes().ToByteArray(), 0));
                    break;
                case WireFormat.WireType.Fixed64:
                    fields.Add((number, null, input.ReadFixed64()));
                    break;
                case WireFormat.WireType.Varint:
                    fields.Add((number, null, input.ReadUInt64()));
                    break;
                case WireFormat.WireType.Fixed32:
                    fields.Add((number, null, input.ReadFixed32()));
                    break;
                default:
                    throw new InvalidDataException("This is no protobuf of OTLP.");
            }
        }

        return fields;
    }
}
