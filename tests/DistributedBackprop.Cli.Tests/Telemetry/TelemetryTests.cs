using System.Text.Json;
using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;
using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Telemetry;
using Grpc.Core;
using Grpc.Net.Client;

namespace DistributedBackprop.Cli.Tests.Telemetry;

/// <summary>What a real cluster tells a real collector, and what its logs tell nobody.</summary>
public sealed class TelemetryTests
{
    private const string Token = "this-is-the-token-nobody-may-read";
    private const string Secret = "this-is-the-secret-nobody-may-read";

    [Fact]
    public void The_table_is_that_of_the_program()
    {
        var readme = File.ReadAllText(RepositoryRoot.File("deploy/README.md"));
        Regex.Matches(readme, @"^\| `([\w.]+)` \| `([^`]+)` \| (.+) \|$", RegexOptions.Multiline)
            .Select(row => (row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value))
            .ShouldBe(Measures.All.Select(measure => (
                measure.Name, measure.Unit, $"{char.ToLowerInvariant(measure.Description[0])}{measure.Description[1..^1]}")));
        Measures.Spans.Where(span => !readme.Contains($"`{span}`", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_that_is_trained_without_a_service_is_measured_and_traced_too(bool hasNodes)
    {
        await using var collector = await OtlpReceiver.StartAsync();
        using var folder = new CommandFolder();
        var variables = collector.Variables();
        variables.Remove("OTEL_EXPORTER_OTLP_ENDPOINT");
        var run = await BackpropProcess.RunAsync(
            folder.Path,
            variables,
            ["train", ExampleJob.PathOf("xor"), "--json", "--otlp-endpoint", collector.Address, .. hasNodes ? new[] { "--nodes", "1" } : []]);
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Sha256.ShouldBe(GoldenTests.WeightsOf("xor"));
        var job = $"job={run.Last.GetProperty("jobId").GetString()}";
        collector.Metrics["backprop.steps"].Points[job].ShouldBe(run.Last.GetProperty("steps").GetInt64());
        collector.Spans.Single(span => span.Name == "job").Attributes.ShouldContain("backprop.outcome=completed");
        collector.Spans.Count(span => span.Name == "epoch").ShouldBe(run.Last.GetProperty("epochs").GetInt32());
        collector.Metrics.ContainsKey("backprop.tensors.sent").ShouldBe(hasNodes);
    }

    [Fact]
    public async Task A_job_on_a_cluster_is_measured_and_traced_and_a_lost_worker_with_it()
    {
        await using var collector = await OtlpReceiver.StartAsync();
        using var cluster = await TelemetryCluster.StartAsync(collector.Variables(), Token, Secret);
        var job = cluster.Folder.Job("residual", ("epochs: 8", "epochs: 300"));
        using var watch = cluster.Submit(job, "measured");
        await watch.ReadUntilAsync(line => line.Contains("\"checkpoint\"", StringComparison.Ordinal));
        cluster.KillWorker();
        var run = await watch.EndAsync();
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Last.GetProperty("recoveries").GetInt32().ShouldBe(1);
        var steps = run.Last.GetProperty("steps").GetInt64();

        // What is left is sent when the nodes leave.
        await cluster.LeaveAsync();
        foreach (var measure in Measures.All)
        {
            collector.Metrics.ShouldContainKey(measure.Name);
            collector.Metrics[measure.Name].Unit.ShouldBe(measure.Unit, measure.Name);
        }

        collector.Metrics.Keys.Where(name => !name.StartsWith("dotnet.", StringComparison.Ordinal))
            .Except(Measures.All.Select(measure => measure.Name)).ShouldBeEmpty();
        var point = collector.Metrics["backprop.steps"].Points.ShouldHaveSingleItem();
        point.Key.ShouldBe("job=measured");
        point.Value.ShouldBeGreaterThan(steps);
        collector.Metrics["backprop.step.duration"].Points["job=measured"].ShouldBe(point.Value);
        collector.Metrics["backprop.recoveries"].Points["job=measured"].ShouldBe(1);
        collector.Metrics["backprop.recovery.duration"].Points["job=measured"].ShouldBe(1);
        collector.Metrics["backprop.generations"].Points["job=measured"].ShouldBeGreaterThanOrEqualTo(2);
        collector.Metrics["backprop.jobs"].Points["state=running"].ShouldBe(0);
        collector.Metrics["backprop.tensors.sent"].Points.Keys.ShouldContain("flow=activations");
        collector.Resources.Keys.ShouldContain(text => text.Contains("service.instance.id=head", StringComparison.Ordinal));

        var root = collector.Spans.Single(span => span.Name == "job");
        root.Attributes.ShouldContain("backprop.outcome=completed");
        foreach (var name in Measures.Spans.Except(["job"]))
        {
            var spans = collector.Spans.Where(span => span.Name == name).ToList();
            spans.ShouldNotBeEmpty(name);
            spans.ShouldAllBe(span => span.ParentId == root.SpanId && span.TraceId == root.TraceId && span.End >= span.Start);
        }

        collector.Spans.Count(span => span.Name == "epoch").ShouldBe(run.Last.GetProperty("epochs").GetInt32());
        collector.Spans.Count(span => span.Name == "recovery").ShouldBe(1);
        collector.Spans.ShouldContain(span => span.Name.EndsWith("/Submit", StringComparison.Ordinal) && span.Attributes.Contains("rpc.response.status_code=OK", StringComparison.Ordinal));
        AssertNothingSecret(cluster);
    }

    [Fact]
    public async Task A_call_goes_on_in_its_callers_trace_from_node_to_node()
    {
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        await using var collector = await OtlpReceiver.StartAsync();
        using var cluster = await TelemetryCluster.StartAsync(collector.Variables(), Token, Secret, workers: 1);
        using var channel = GrpcChannel.ForAddress(cluster.WorkerAddress);
        await new Protocol.Training.TrainingClient(channel).ListAsync(
            new ListRequest(),
            new Metadata { { "authorization", $"Bearer {Token}" }, { "traceparent", $"00-{Trace}-b7ad6b7169203331-01" } });
        await cluster.LeaveAsync();
        var spans = collector.Spans.Where(span => span.TraceId == Trace).OrderBy(span => span.Start).ToList();
        spans.Select(span => span.Name).ShouldBe([spans[0].Name, spans[0].Name]);
        spans[0].Name.ShouldEndWith("/List");
        spans[0].ParentId.ShouldBe("b7ad6b7169203331");
        spans[1].ParentId.ShouldNotBe(spans[0].ParentId);
    }

    [Fact]
    public async Task Logs_are_JSON_where_they_are_asked_for_and_tell_of_jobs()
    {
        using var cluster = await TelemetryCluster.StartAsync([], Token, Secret, workers: 1, "--log-format", "json", "--verbose");
        using var watch = cluster.Submit(ExampleJob.PathOf("xor"), "logged");
        var run = await watch.EndAsync();
        run.Sha256.ShouldBe(GoldenTests.WeightsOf("xor"));
        await cluster.LeaveAsync();
        var lines = cluster.HeadErrors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var completed = lines.Single(line => line.GetProperty("Category").GetString() == "DistributedBackprop.Jobs" && line.GetProperty("EventId").GetInt32() == 6);
        completed.GetProperty("State").GetProperty("JobId").GetString().ShouldBe("logged");
        completed.GetProperty("State").GetProperty("WeightsSha256").GetString().ShouldBe(run.Sha256);
        AssertNothingSecret(cluster);
    }

    [Fact]
    public async Task A_collector_that_is_away_holds_up_nothing()
    {
        using var cluster = await TelemetryCluster.StartAsync(
            new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1" }, Token, Secret, workers: 1);
        using var watch = cluster.Submit(ExampleJob.PathOf("xor"), "unseen");
        (await watch.EndAsync()).Sha256.ShouldBe(GoldenTests.WeightsOf("xor"));
        await cluster.LeaveAsync();
    }

    private static void AssertNothingSecret(TelemetryCluster cluster)
    {
        cluster.Said.ShouldNotContain(Token);
        cluster.Said.ShouldNotContain(Secret);
    }
}
