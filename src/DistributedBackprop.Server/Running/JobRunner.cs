using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Server.Running;

/// <summary>
/// Runs jobs for somebody outside the actors: hands them to the coordinator's queue, as the service does for those who call
/// it, and takes what happens to them from their records.
/// </summary>
/// <param name="coordinator">Takes jobs.</param>
internal sealed class JobRunner(IActorRef coordinator)
{
    // How many steps whoever watches may leave unanswered: see Watched.
    private const long MostUnanswered = 256;

    private static readonly TimeSpan _acceptDeadline = TimeSpan.FromSeconds(30);

    /// <summary>Whether a job that is ended can go on later: then it pauses instead of being cancelled.</summary>
    public bool Pauses { get; init; }

    /// <inheritdoc cref="ITrainer.RunAsync"/>
    /// <param name="run">The job.</param>
    /// <param name="observe">Is told every event but the last, in order.</param>
    /// <param name="cancellation">Ends the job as cancelled, or as paused where it can go on; a training step under way is finished first.</param>
    /// <returns>The last event, and the weights where the job completed; the caller owns it.</returns>
    public async Task<TrainingResult> RunAsync(JobRun run, Action<TrainingEvent> observe, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(observe);
        var events = Channel.CreateUnbounded<object>(new UnboundedChannelOptions { SingleReader = true });
        switch (await BeginAsync(run, events.Writer))
        {
            case RunBegun begun:
                await using (cancellation.Register(() => Ask(Pauses ? new PauseCommand(run.Id) : new CancelCommand(run.Id))))
                {
                    return await WatchAsync(run, events.Reader, begun.Record, observe);
                }

            case RequestRefused refused:
                return NotBegun(run, refused.Reason);
            default:
                return NotBegun(run, "no coordinator took the job");
        }
    }

    private static TrainingResult NotBegun(JobRun run, string reason) =>
        new(new TrainingFailed(run.Id, 0, null, reason), run.Graph, [], []);

    private async Task<object?> BeginAsync(JobRun run, ChannelWriter<object> events)
    {
        var job = run.Job;
        var submission = new JobSubmission(
            run.Id,
            job.Name,
            CanonicalForm.Of(job),
            job.Name,
            JobSubmission.GivenData,
            job.Parallelism.Replicas * job.Parallelism.Stages);
        try
        {
            return await coordinator.Ask<object>(new RunRequest(submission, run, events), _acceptDeadline);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }

    private async Task<TrainingResult> WatchAsync(
        JobRun run, ChannelReader<object> events, IActorRef record, Action<TrainingEvent> observe)
    {
        var answerEvery = Math.Clamp(run.StepsAhead / 2, 1, MostUnanswered);
        Exception? failure = null;
        await foreach (var message in events.ReadAllAsync(CancellationToken.None))
        {
            switch (message)
            {
                case JobEvent { Event: var happened } when failure is null:
                    failure = Observe(observe, happened);
                    if (failure is not null)
                    {
                        // Nobody watches any more: the job must not go on alone, nor keep its layers.
                        Ask(new CancelCommand(run.Id));
                    }
                    else if (happened is StepDone step && step.Step % answerEvery == 0)
                    {
                        record.Tell(new Watched(step.Step));
                    }

                    break;
                case JobOver over:
                    var result = new TrainingResult(over.Event, run.Graph, over.Parameters, over.Generations);
                    if (failure is not null)
                    {
                        result.Dispose();
                        ExceptionDispatchInfo.Throw(failure);
                    }

                    return result;
            }
        }

        throw new InvalidOperationException("The job's events ended before the job.");
    }

    // What comes of it is told with the job's end.
    private void Ask(JobCommand command) => coordinator.Tell(new CommandRequest(command), ActorRefs.NoSender);

    private static Exception? Observe(Action<TrainingEvent> observe, TrainingEvent happened)
    {
        try
        {
            observe(happened);
            return null;
        }
#pragma warning disable CA1031 // It is thrown again once the job has ended.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e;
        }
    }
}
