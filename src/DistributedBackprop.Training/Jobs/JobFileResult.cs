using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace DistributedBackprop.Training.Jobs;

/// <summary>What reading a job file gave: the complete job, or all that is wrong with the file.</summary>
public sealed class JobFileResult
{
    internal JobFileResult(TrainingJob job) => (Job, Errors) = (job, []);

    internal JobFileResult(ImmutableArray<JobError> errors) => Errors = errors;

    /// <summary>The job, checked, every default filled in; null when there are errors.</summary>
    public TrainingJob? Job { get; }

    /// <summary>All errors, sorted by position; empty when there is a job.</summary>
    public ImmutableArray<JobError> Errors { get; }

    /// <summary>Whether there is a job.</summary>
    [MemberNotNullWhen(true, nameof(Job))]
    public bool IsValid => Job is not null;
}
