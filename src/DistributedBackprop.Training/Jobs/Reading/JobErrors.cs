using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Collects what is wrong with one job file.</summary>
internal sealed class JobErrors(string fileName)
{
    private readonly List<JobError> _errors = [];

    public bool None => _errors.Count == 0;

    public void Add(JobErrorKind kind, Position at, string message) =>
        _errors.Add(new JobError(fileName, at.Line, at.Column, kind, message));

    /// <summary>A key, word or type that is not in the schema.</summary>
    public void Structure(Position at, string message) => Add(JobErrorKind.Structure, at, message);

    /// <summary>A value out of range, or one that does not fit the rest.</summary>
    public void Value(Position at, string message) => Add(JobErrorKind.Value, at, message);

    /// <summary>A wrong type; silent about what was reported already.</summary>
    public void WrongType(JobNode node, string what, string allowed)
    {
        if (node is not BrokenNode)
        {
            Structure(node.At, $"{what} must be {allowed} (was {node.Shown})");
        }
    }

    /// <summary>The errors in the order of the file; at one place in the order they were found.</summary>
    public ImmutableArray<JobError> Sorted() => [.. _errors.OrderBy(error => error.Line).ThenBy(error => error.Column)];
}
