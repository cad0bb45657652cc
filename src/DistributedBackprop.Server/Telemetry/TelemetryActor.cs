using System.Diagnostics;
using System.Diagnostics.Metrics;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>Turns what is heard of jobs into measures and spans. On nodes that do not coordinate it hears nothing.</summary>
internal sealed class TelemetryActor : ReceiveActor
{
    /// <summary>The actor's name.</summary>
    public const string Name = "telemetry";

    private readonly JobMeasures _measures;
    private readonly ActivitySource _traces;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, JobSpans> _spans = new(StringComparer.Ordinal);

    public TelemetryActor(Meter meter, ActivitySource traces, TimeProvider time)
    {
        _measures = new JobMeasures(meter);
        _traces = traces;
        _time = time;
        Receive<JobsCounted>(_measures.OnCounted);
        Receive<StepsTrained>(trained =>
        {
            _measures.OnSteps(trained);
            if (Of(trained.JobId).OnSteps(trained.Step, Now) is { } recovered)
            {
                _measures.OnRecovered(trained.JobId, recovered);
            }
        });
        Receive<CheckpointBegins>(begins => Of(begins.JobId).OnCheckpointBegins(begins.Step, Now));
        Receive<RecoveryBegins>(begins =>
        {
            _measures.OnRecovery(begins.JobId);
            Of(begins.JobId).OnRecovery(begins.Step, begins.Reason, Now);
        });
        Receive<GenerationMeasured>(measured => _measures.OnMeasured(measured.JobId, measured.Statistics));
        Receive<JobHappened>(happened => OnHappened(happened.JobId, happened.Event));
    }

    private DateTimeOffset Now => _time.GetUtcNow();

    public static Props Props(Meter meter, ActivitySource traces) =>
        Akka.Actor.Props.Create(() => new TelemetryActor(meter, traces, TimeProvider.System));

    protected override void PreStart()
    {
        base.PreStart();
        Context.System.EventStream.Subscribe(Self, typeof(JobSignal));
        Context.System.EventStream.Subscribe(Self, typeof(JobsCounted));
    }

    protected override void PostStop()
    {
        Context.System.EventStream.Unsubscribe(Self);
        foreach (var (id, spans) in _spans)
        {
            // The job goes on elsewhere, or later.
            spans.OnOver(new TrainingPaused(id, 0), Now);
        }

        base.PostStop();
    }

    private void OnHappened(string id, TrainingEvent happened)
    {
        var spans = Of(id);
        switch (happened)
        {
            case TrainingStarted:
                spans.OnStarted(Now);
                break;
            case GenerationStarted generation:
                _measures.OnGeneration(id);
                spans.OnGeneration(generation, Now);
                break;
            case EpochDone epoch:
                _measures.OnEpoch(id, epoch);
                spans.OnEpoch(epoch, Now);
                break;
            case CheckpointSaved saved:
                _measures.OnCheckpoint(id, saved.Bytes, spans.OnCheckpoint(saved, Now));
                break;
        }

        if (Outcome.WordOf(happened) is not null)
        {
            _measures.OnOver(id);
            _spans.Remove(id);
            spans.OnOver(happened, Now);
        }
    }

    private JobSpans Of(string id) => _spans.TryGetValue(id, out var known) ? known : _spans[id] = new JobSpans(_traces, id, Now);
}
