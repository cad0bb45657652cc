using System.Diagnostics;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>
/// The spans of one run of a job, from the queue to its end or pause: below it its generations, epochs, checkpoints and
/// recoveries. Times come from outside.
/// </summary>
internal sealed class JobSpans
{
    private readonly ActivitySource _source;
    private readonly string _id;
    private readonly Activity? _job;
    private readonly Dictionary<long, (Activity? Span, DateTimeOffset At)> _checkpoints = [];
    private Activity? _generation;
    private (Activity? Span, DateTimeOffset At, long Above)? _recovery;
    private DateTimeOffset _epochFrom;
    private long _highest;

    public JobSpans(ActivitySource source, string id, DateTimeOffset now)
    {
        (_source, _id, _epochFrom) = (source, id, now);
        _job = Begin(Measures.JobSpan, now);
    }

    /// <summary>Training is about to begin, or goes on elsewhere.</summary>
    public void OnGeneration(GenerationStarted generation, DateTimeOffset now)
    {
        End(_generation, now);
        _generation = Begin(Measures.GenerationSpan, now);
        _generation?.SetTag("backprop.generation", generation.Generation)
            .SetTag("backprop.step", generation.Step)
            .SetTag("backprop.reason", generation.Reason)
            .SetTag("backprop.nodes", generation.Placement.Nodes.Length);
    }

    public void OnStarted(DateTimeOffset now) => _epochFrom = now;

    public void OnRecovery(long step, string reason, DateTimeOffset now)
    {
        _generation?.SetStatus(ActivityStatusCode.Error, reason);
        End(_generation, now);
        _generation = null;
        foreach (var (span, _) in _checkpoints.Values)
        {
            span?.SetStatus(ActivityStatusCode.Error, "the generation was lost");
            End(span, now);
        }

        _checkpoints.Clear();
        _highest = Math.Max(_highest, step);
        if (_recovery is null)
        {
            var span = Begin(Measures.RecoverySpan, now);
            span?.SetTag("backprop.step", step).SetTag("backprop.reason", reason);
            _recovery = (span, now, _highest);
        }
    }

    /// <summary>Steps have been trained.</summary>
    /// <returns>How long the recovery took that ends with them; null where none does.</returns>
    public TimeSpan? OnSteps(long last, DateTimeOffset now)
    {
        _highest = Math.Max(_highest, last);
        if (_recovery is not { } recovery || last <= recovery.Above)
        {
            return null;
        }

        End(recovery.Span, now);
        _recovery = null;
        return now - recovery.At;
    }

    public void OnEpoch(EpochDone epoch, DateTimeOffset now)
    {
        var span = Begin(Measures.EpochSpan, _epochFrom);
        span?.SetTag("backprop.epoch", epoch.Epoch)
            .SetTag("backprop.step", epoch.Step)
            .SetTag("backprop.train.loss", epoch.TrainLoss)
            .SetTag("backprop.test.loss", epoch.TestLoss)
            .SetTag("backprop.test.accuracy", epoch.TestAccuracy);
        End(span, now);
        _epochFrom = now;
    }

    public void OnCheckpointBegins(long step, DateTimeOffset now)
    {
        var span = Begin(Measures.CheckpointSpan, now);
        span?.SetTag("backprop.step", step);
        End(_checkpoints.GetValueOrDefault(step).Span, now);
        _checkpoints[step] = (span, now);
    }

    /// <summary>A checkpoint is saved.</summary>
    /// <returns>How long it took; null where nobody saw it begin.</returns>
    public TimeSpan? OnCheckpoint(CheckpointSaved saved, DateTimeOffset now)
    {
        if (!_checkpoints.Remove(saved.Step, out var begun))
        {
            return null;
        }

        begun.Span?.SetTag("backprop.bytes", saved.Bytes);
        End(begun.Span, now);
        return now - begun.At;
    }

    /// <summary>The job is over, or put aside.</summary>
    public void OnOver(TrainingEvent outcome, DateTimeOffset now)
    {
        foreach (var span in _checkpoints.Values.Select(begun => begun.Span).Append(_generation).Append(_recovery?.Span))
        {
            End(span, now);
        }

        _job?.SetTag("backprop.outcome", Outcome.WordOf(outcome));
        switch (outcome)
        {
            case TrainingCompleted completed:
                _job?.SetTag("backprop.steps", completed.Steps)
                    .SetTag("backprop.recoveries", completed.Recoveries)
                    .SetTag("backprop.weights.sha256", completed.WeightsSha256);
                break;
            case TrainingFailed failed:
                _job?.SetStatus(ActivityStatusCode.Error, failed.Reason);
                break;
        }

        End(_job, now);
    }

    // A span that is made in an actor is nobody's surroundings.
    private Activity? Begin(string name, DateTimeOffset at)
    {
        var span = _source.StartActivity(
            name, ActivityKind.Internal, _job?.Context ?? default, [KeyValuePair.Create("backprop.job", (object?)_id)], startTime: at);
        Activity.Current = null;
        return span;
    }

    private static void End(Activity? span, DateTimeOffset at)
    {
        span?.SetEndTime(at.UtcDateTime);
        span?.Dispose();
        Activity.Current = null;
    }
}
