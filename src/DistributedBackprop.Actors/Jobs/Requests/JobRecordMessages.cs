using System.Threading.Channels;
using Akka.Actor;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>The queue tells a job's record what happened to the job, once that is persisted.</summary>
/// <param name="Event">What.</param>
/// <param name="IsNews">Whether it has happened now, rather than before the coordinator's process began.</param>
internal sealed record Recorded(TrainingEvent Event, bool IsNews = true) : INoSerializationVerificationNeeded;

/// <summary>The queue has a job's record hand the job in.</summary>
/// <param name="Run">The job.</param>
/// <param name="Coordinator">To whom.</param>
/// <param name="Wish"><see cref="PauseJob"/> or <see cref="CancelJob"/> where that is wanted of it already; else null.</param>
internal sealed record BeginRun(JobRun Run, IActorRef Coordinator, object? Wish) : INoSerializationVerificationNeeded
{
    /// <summary>Takes what happens to it: see <see cref="RunRequest.Events"/>; null where nobody in this process runs it.</summary>
    public ChannelWriter<object>? Events { get; init; }
}

/// <summary>A job's record tells the queue how far the job has come.</summary>
/// <param name="Id">Which job.</param>
/// <param name="Mark">How far.</param>
/// <param name="Generation">Its newest generation; null before the first.</param>
internal sealed record MarkChanged(string Id, JobMark Mark, GenerationStarted? Generation) : INoSerializationVerificationNeeded;

/// <summary>A job's record tells the queue that the job's actor has ended, and how.</summary>
/// <param name="Id">Which job.</param>
/// <param name="Outcome">Completed, failed, cancelled, or paused.</param>
/// <param name="Why">Why it has paused, for people, where nobody asked for it; else empty.</param>
internal sealed record RunOver(string Id, TrainingEvent Outcome, string Why = "") : INoSerializationVerificationNeeded;

/// <summary>A job's record tells the queue that it keeps the weights of a job that has completed.</summary>
/// <param name="Id">Which job.</param>
/// <param name="Bytes">How much they take.</param>
internal sealed record WeightsHeld(string Id, long Bytes) : INoSerializationVerificationNeeded;

/// <summary>The queue has a job's record give up the weights: those of newer jobs take their place.</summary>
internal sealed record ForgetWeights : INoSerializationVerificationNeeded;
