namespace DistributedBackprop.Training.Jobs;

/// <summary>One thing that is wrong with a job file, where, and what is allowed.</summary>
/// <param name="FileName">The file as the caller names it.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in UTF-16 code units.</param>
/// <param name="Kind">Which check found it.</param>
/// <param name="Message">What is wrong, with the value and what is allowed.</param>
public sealed record JobError(string FileName, int Line, int Column, JobErrorKind Kind, string Message)
{
    /// <summary>The error as compilers write it: <c>job.yaml:14:9 batchSize must be at least 1 (was 0)</c>.</summary>
    public override string ToString() => $"{FileName}:{Line}:{Column} {Message}";
}

/// <summary>Which check of a job file found an error.</summary>
public enum JobErrorKind
{
    /// <summary>The text is no single, plain YAML document.</summary>
    Syntax,

    /// <summary>
    /// An unknown, missing or not yet supported key or word, or a wrong type: <see cref="JobSchema"/> sees it too.
    /// </summary>
    Structure,

    /// <summary>A value out of its range, or parts of the job that do not fit together.</summary>
    Value,
}
