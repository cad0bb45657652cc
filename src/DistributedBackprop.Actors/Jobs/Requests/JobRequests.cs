using System.Collections.Immutable;
using System.Threading.Channels;
using Akka.Actor;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// Somebody outside asks something of the jobs of the cluster. The answer is what the request says, or
/// <see cref="RequestRefused"/>.
/// </summary>
public interface IJobRequest : INoSerializationVerificationNeeded;

/// <summary>A request that is a command to the table of jobs. The answer is a <see cref="JobStatus"/>.</summary>
/// <param name="Command">Which.</param>
public sealed record CommandRequest(JobCommand Command) : IJobRequest;

/// <summary>
/// Somebody in this process has a job trained now, whatever waits, with data that it has read itself: see
/// <see cref="RunCommand"/>. The answer is <see cref="RunBegun"/>.
/// </summary>
/// <param name="Submission">The job as it is kept.</param>
/// <param name="Run">The job.</param>
/// <param name="Events">
/// Takes every <see cref="JobEvent"/>, then <see cref="JobOver"/> once the end is persisted, and is closed. What waits there is
/// bounded: the job runs only so far ahead of the <see cref="Watched"/> that its record is told.
/// </param>
public sealed record RunRequest(JobSubmission Submission, JobRun Run, ChannelWriter<object> Events) : IJobRequest;

/// <summary>Where does a job stand? The answer is a <see cref="JobStatus"/>.</summary>
/// <param name="Id">Which job.</param>
public sealed record StatusRequest(string Id) : IJobRequest;

/// <summary>Which jobs are there? The answer is a <see cref="JobList"/>.</summary>
/// <param name="States">Only those in one of these states; none: all.</param>
/// <param name="After">Only those handed in after the one of this number; 0: all.</param>
/// <param name="Most">At most so many, ≥ 1.</param>
public sealed record ListRequest(ImmutableArray<JobState> States, long After, int Most) : IJobRequest;

/// <summary>
/// What happened to a job? The answer is an <see cref="EventBatch"/>: at once where there is something, else when there is,
/// or after some seconds an empty one.
/// </summary>
/// <param name="Id">Which job.</param>
/// <param name="After">Only events with greater numbers.</param>
/// <param name="Most">At most so many, ≥ 1.</param>
/// <param name="ProgressEvery">Of steps only multiples of this, ≥ 1.</param>
public sealed record EventsRequest(string Id, long After, int Most, int ProgressEvery) : IJobRequest;

/// <summary>What has a job trained? The answer is a <see cref="TrainedNetwork"/>.</summary>
/// <param name="Id">Which job.</param>
/// <param name="IsFinal">Only if it has completed; else its newest checkpoint will do.</param>
public sealed record NetworkRequest(string Id, bool IsFinal) : IJobRequest;

/// <summary>Where does a job run? The answer is a <see cref="JobPlacement"/>.</summary>
/// <param name="Id">Which job.</param>
public sealed record PlacementRequest(string Id) : IJobRequest;

/// <summary>Which workers are there, and what runs there? The answer is a <see cref="WorkerList"/>.</summary>
public sealed record WorkersRequest : IJobRequest;
