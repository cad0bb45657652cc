using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>
/// The measures of jobs, from what the coordinator hears of them anyway. Jobs that are over leave the gauges. One thread
/// tells it what happens; the exporter's reads.
/// </summary>
internal sealed class JobMeasures
{
    private readonly ConcurrentDictionary<string, Newest> _running = new(StringComparer.Ordinal);
    private readonly Counter<long> _steps;
    private readonly Counter<long> _examples;
    private readonly Histogram<double> _stepSeconds;
    private readonly Counter<long> _generations;
    private readonly Counter<long> _recoveries;
    private readonly Histogram<double> _recoverySeconds;
    private readonly Histogram<double> _checkpointSeconds;
    private readonly Histogram<long> _checkpointBytes;
    private readonly Histogram<double> _bubble;
    private readonly Counter<double> _busy;
    private volatile JobsCounted _jobs = new(0, 0, 0);

    public JobMeasures(Meter meter)
    {
        _steps = Counter<long>(meter, Measures.Steps);
        _examples = Counter<long>(meter, Measures.Examples);
        _stepSeconds = Histogram(meter, Measures.StepDuration, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30);
        _generations = Counter<long>(meter, Measures.Generations);
        _recoveries = Counter<long>(meter, Measures.Recoveries);
        _recoverySeconds = Histogram(meter, Measures.RecoveryDuration, 0.1, 0.3, 0.5, 1, 2, 3, 5, 10, 15, 30, 45, 60);
        _checkpointSeconds = Histogram(meter, Measures.CheckpointDuration, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30);
        _checkpointBytes = meter.CreateHistogram(
            Measures.CheckpointSize.Name,
            Measures.CheckpointSize.Unit,
            Measures.CheckpointSize.Description,
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1 << 10, 1 << 14, 1 << 18, 1 << 22, 1 << 26, 1 << 30] });
        _bubble = Histogram(meter, Measures.Bubble, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9);
        _busy = Counter<double>(meter, Measures.Busy);
        Gauge(meter, Measures.Rate, newest => newest.Rate);
        Gauge(meter, Measures.Loss, newest => newest.Loss);
        Gauge(meter, Measures.TestLoss, newest => newest.TestLoss);
        Gauge(meter, Measures.TestAccuracy, newest => newest.TestAccuracy);
        meter.CreateObservableGauge(
            Measures.Jobs.Name,
            () => _jobs is var jobs ? new[] { InState("waiting", jobs.Waiting), InState("running", jobs.Running), InState("paused", jobs.Paused) } : [],
            Measures.Jobs.Unit,
            Measures.Jobs.Description);
    }

    public void OnSteps(StepsTrained trained)
    {
        var tags = TagOf(trained.JobId);
        _steps.Add(trained.Steps, tags);
        _examples.Add(trained.Examples, tags);
        for (var i = 0; i < trained.Steps && trained.Seconds > 0; i++)
        {
            _stepSeconds.Record(trained.Seconds / trained.Steps, tags);
        }

        Change(trained.JobId, newest => newest with
        {
            Rate = trained.Seconds > 0 ? trained.Examples / trained.Seconds : newest.Rate,
            Loss = trained.Loss,
        });
    }

    public void OnEpoch(string job, EpochDone epoch) =>
        Change(job, newest => newest with { TestLoss = epoch.TestLoss, TestAccuracy = epoch.TestAccuracy });

    public void OnGeneration(string job) => _generations.Add(1, TagOf(job));

    public void OnRecovery(string job) => _recoveries.Add(1, TagOf(job));

    public void OnRecovered(string job, TimeSpan after) => _recoverySeconds.Record(after.TotalSeconds, TagOf(job));

    public void OnCheckpoint(string job, long bytes, TimeSpan? took)
    {
        _checkpointBytes.Record(bytes, TagOf(job));
        if (took is { } time)
        {
            _checkpointSeconds.Record(time.TotalSeconds, TagOf(job));
        }
    }

    public void OnMeasured(string job, GenerationStatistics statistics)
    {
        foreach (var node in statistics.Nodes)
        {
            foreach (var stage in node.Stages)
            {
                var tags = TagsOf(job, node, stage);
                _busy.Add(stage.BusySeconds, tags);
                if (stage.BubbleSteps > 0)
                {
                    _bubble.Record(stage.Bubble, tags);
                }
            }
        }
    }

    public void OnCounted(JobsCounted jobs) => _jobs = jobs;

    /// <summary>A job does not run any more.</summary>
    public void OnOver(string job) => _running.TryRemove(job, out _);

    private void Change(string job, Func<Newest, Newest> change) => _running[job] = change(_running.GetValueOrDefault(job, Newest.Nothing));

    private void Gauge(Meter meter, Measure measure, Func<Newest, double?> read) => meter.CreateObservableGauge(
        measure.Name,
        () => _running
            .Select(pair => (Value: read(pair.Value), Tag: TagOf(pair.Key)))
            .Where(found => found.Value is not null)
            .Select(found => new Measurement<double>(found.Value!.Value, found.Tag)),
        measure.Unit,
        measure.Description);

    private static Counter<T> Counter<T>(Meter meter, Measure measure)
        where T : struct => meter.CreateCounter<T>(measure.Name, measure.Unit, measure.Description);

    private static Histogram<double> Histogram(Meter meter, Measure measure, params double[] bounds) => meter.CreateHistogram(
        measure.Name, measure.Unit, measure.Description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    private static Measurement<int> InState(string state, int jobs) => new(jobs, KeyValuePair.Create("state", (object?)state));

    private static KeyValuePair<string, object?> TagOf(string job) => KeyValuePair.Create("job", (object?)job);

    private static TagList TagsOf(string job, NodeStatistics node, StageStatistics stage) => new()
    {
        TagOf(job),
        { "node", node.Node },
        { "replica", stage.Replica },
        { "stage", stage.Stage },
    };

    private sealed record Newest(double? Rate, double? Loss, double? TestLoss, double? TestAccuracy)
    {
        public static Newest Nothing { get; } = new(null, null, null, null);
    }
}
