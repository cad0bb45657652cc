using Akka.Actor;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// Makes of what was handed in what is run: reads the document again, and the data that it names. A coordinator that takes
/// over does the same as the one before. The seam that a simulation replaces.
/// </summary>
public interface IJobLoading
{
    /// <summary>Begins to load; the receiver is told <see cref="JobLoaded"/>.</summary>
    /// <param name="submission">What was handed in.</param>
    /// <param name="receiver">Who is told.</param>
    void Load(JobSubmission submission, IActorRef receiver);
}

/// <summary>A job is loaded, or cannot be.</summary>
/// <param name="Id">Which.</param>
/// <param name="Run">The job; null where it cannot be loaded.</param>
/// <param name="Reason">Why not, for people; null where it is loaded.</param>
public sealed record JobLoaded(string Id, JobRun? Run, string? Reason) : INoSerializationVerificationNeeded;
