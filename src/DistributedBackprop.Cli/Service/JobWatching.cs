using System.Globalization;
using DistributedBackprop.Cli.Output;
using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Grpc;
using DistributedBackprop.Training.Jobs;
using Grpc.Core;

namespace DistributedBackprop.Cli.Service;

/// <summary>
/// Watches a job of a service to its end. Where the stream breaks it goes on after the last event: every event is told
/// once.
/// </summary>
/// <param name="connection">To the service.</param>
/// <param name="output">Who hears of it.</param>
/// <param name="progressEvery">Steps from one progress event to the next.</param>
internal sealed class JobWatching(ServiceConnection connection, ServiceOutput output, int progressEvery)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _again = TimeSpan.FromSeconds(1);

    /// <summary>Watches.</summary>
    /// <param name="id">Which job.</param>
    /// <param name="after">After which event.</param>
    /// <param name="cancellation">Ends the watching, not the job.</param>
    /// <returns>The exit code: the job's, where it has ended.</returns>
    public async Task<int> RunAsync(string id, long after, CancellationToken cancellation)
    {
        // Since when nobody has answered: a job may be silent for as long as it takes.
        long? brokenAt = null;
        TrainingEvent? last = null;
        while (true)
        {
            try
            {
                using var call = connection.Training.Watch(
                    new WatchRequest { Id = id, AfterEvent = after, ProgressEvery = progressEvery },
                    connection.Options(null, cancellation));

                // Told as soon as the coordinator has answered, whether or not anything has happened.
                if ((await call.ResponseHeadersAsync).Get(ServiceHosting.Watching) is not null)
                {
                    brokenAt = null;
                }

                await foreach (var message in call.ResponseStream.ReadAllAsync(cancellation))
                {
                    after = message.Number;
                    brokenAt = null;
                    if (ServiceEvents.Of(message) is { } happened)
                    {
                        last = happened;
                        Tell(happened);
                    }
                }

                return last switch
                {
                    TrainingCompleted => ExitCode.Done,
                    TrainingFailed or TrainingCancelled => ExitCode.JobFailed,
                    _ => throw new CommandException(ExitCode.JobFailed, $"backprop: no event of job '{id}' follows number {after}: it has ended before"),
                };
            }
            catch (Exception e) when (cancellation.IsCancellationRequested && e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
            {
                await Console.Error.WriteLineAsync($"backprop: no longer watching; job '{id}' goes on ('backprop watch {id} --after {after}', 'backprop cancel {id}')");
                return ExitCode.Interrupted;
            }
            catch (RpcException e) when (Pings.IsBroken(e)
                && Environment.TickCount64 - (brokenAt ?? Environment.TickCount64) < _patience.TotalMilliseconds)
            {
                brokenAt ??= Environment.TickCount64;
                await Task.Delay(_again, CancellationToken.None);
            }
        }
    }

    private void Tell(TrainingEvent happened)
    {
        if (output.IsJson && happened is not TrainingWaits)
        {
            output.Print(json => JsonOutput.Write(json, happened), null);
            return;
        }

        if (happened is TrainingCompleted completed)
        {
            foreach (var line in CompletedLines.Of(completed))
            {
                Console.Out.WriteLine(line);
            }
        }
        else
        {
            Console.Error.WriteLine(LineOf(happened));
        }
    }

    private static string LineOf(TrainingEvent happened) => happened switch
    {
        TrainingWaiting => "waits for its turn",
        TrainingWaits waits => $"waits: {waits.Reason}",
        CheckpointSaved checkpoint => string.Create(
            CultureInfo.InvariantCulture, $"checkpoint after step {checkpoint.Step}, {checkpoint.Bytes:N0} bytes"),
        TrainingStarted started => string.Create(
            CultureInfo.InvariantCulture, $"begins: {started.Layers} layers, {started.Parameters:N0} parameters, {started.Nodes} nodes"),
        GenerationStarted generation => string.Create(
            CultureInfo.InvariantCulture, $"generation {generation.Generation} goes on after step {generation.Step}: {generation.Reason}"),
        StepDone step => string.Create(
            CultureInfo.InvariantCulture, $"epoch {step.Epoch} step {step.Step} loss {step.Loss:G4} accuracy {step.Accuracy:P1} {step.SamplesPerSecond:N0} examples/s"),
        EpochDone epoch => EpochLine.Of(epoch),
        TrainingPaused paused => string.Create(CultureInfo.InvariantCulture, $"paused after step {paused.Step}"),
        TrainingCancelled cancelled => string.Create(CultureInfo.InvariantCulture, $"cancelled after step {cancelled.Step}"),
        TrainingFailed failed => string.Create(
            CultureInfo.InvariantCulture,
            $"failed at step {failed.Step}{(failed.Layer is null ? "" : $" in layer {failed.Layer}")}: {failed.Reason}"),
        _ => happened.GetType().Name,
    };
}
