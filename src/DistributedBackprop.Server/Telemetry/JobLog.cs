using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Jobs;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>Writes what happens to jobs into the node's log, steps and epochs excepted.</summary>
internal sealed partial class JobLog : ReceiveActor
{
    /// <summary>The actor's name.</summary>
    public const string Name = "job-log";

    private readonly ILogger _log;

    public JobLog(ILogger log)
    {
        _log = log;
        Receive<RecoveryBegins>(begins => Recovers(begins.JobId, begins.Step, begins.Reason));
        Receive<JobHappened>(happened => Write(happened.JobId, happened.Event));
        Receive<JobSignal>(_ => { });
    }

    public static Props Props(ILogger log) => Akka.Actor.Props.Create(() => new JobLog(log));

    protected override void PreStart()
    {
        base.PreStart();
        Context.System.EventStream.Subscribe(Self, typeof(JobSignal));
    }

    protected override void PostStop()
    {
        Context.System.EventStream.Unsubscribe(Self);
        base.PostStop();
    }

    private void Write(string id, TrainingEvent happened)
    {
        switch (happened)
        {
            case TrainingWaiting:
                Waits(id);
                break;
            case GenerationStarted generation:
                Runs(id, generation.Generation, generation.Step, string.Join(',', generation.Placement.Nodes), generation.Reason);
                break;
            case CheckpointSaved saved:
                Saved(id, saved.Step, saved.Bytes);
                break;
            case TrainingWaits waits:
                WaitsForNodes(id, waits.Step, waits.Reason);
                break;
            case TrainingCompleted completed:
                Completed(id, completed.Steps, completed.Recoveries, completed.WeightsSha256);
                break;
            case TrainingFailed failed:
                Failed(id, failed.Step, failed.Layer, failed.Reason);
                break;
            case TrainingPaused paused:
                Paused(id, paused.Step);
                break;
            case TrainingCancelled cancelled:
                Cancelled(id, cancelled.Step);
                break;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "job {JobId} waits for its turn")]
    private partial void Waits(string jobId);

    [LoggerMessage(2, LogLevel.Information, "job {JobId} runs as generation {Generation} from step {Step} on {Nodes}: {Reason}")]
    private partial void Runs(string jobId, long generation, long step, string nodes, string reason);

    [LoggerMessage(3, LogLevel.Information, "job {JobId} has a checkpoint at step {Step} of {Bytes} bytes")]
    private partial void Saved(string jobId, long step, long bytes);

    [LoggerMessage(4, LogLevel.Warning, "job {JobId} waits at step {Step}: {Reason}")]
    private partial void WaitsForNodes(string jobId, long step, string reason);

    [LoggerMessage(5, LogLevel.Warning, "job {JobId} recovers at step {Step}: {Reason}")]
    private partial void Recovers(string jobId, long step, string reason);

    [LoggerMessage(6, LogLevel.Information, "job {JobId} has completed after {Steps} steps and {Recoveries} recoveries: {WeightsSha256}")]
    private partial void Completed(string jobId, long steps, int recoveries, string weightsSha256);

    [LoggerMessage(7, LogLevel.Error, "job {JobId} has failed at step {Step} in layer {Layer}: {Reason}")]
    private partial void Failed(string jobId, long step, string? layer, string reason);

    [LoggerMessage(8, LogLevel.Information, "job {JobId} has paused at step {Step}")]
    private partial void Paused(string jobId, long step);

    [LoggerMessage(9, LogLevel.Information, "job {JobId} was cancelled at step {Step}")]
    private partial void Cancelled(string jobId, long step);
}
