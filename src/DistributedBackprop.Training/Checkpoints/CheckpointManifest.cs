using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>Everything that the future of a job depends on at one step: where its layers' state is, and its progress.</summary>
public sealed class CheckpointManifest : IEquatable<CheckpointManifest>
{
    private readonly Lazy<ContentHash> _hash;

    /// <summary>Puts a checkpoint together.</summary>
    /// <param name="generation">The placement that trained it, ≥ 1.</param>
    /// <param name="progress">The job's course exactly after its step.</param>
    /// <param name="state">The state of all layers after that step.</param>
    public CheckpointManifest(long generation, ProgressState progress, StateManifest state)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(generation, 1);
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentNullException.ThrowIfNull(state);
        (Generation, Progress, State) = (generation, progress, state);
        _hash = new(() => ManifestHash.Of(this));
    }

    /// <summary>After which step.</summary>
    public long Step => Progress.Step;

    /// <summary>The placement that trained it.</summary>
    public long Generation { get; }

    /// <summary>The job's course exactly after its step.</summary>
    public ProgressState Progress { get; }

    /// <summary>The state of all layers after that step.</summary>
    public StateManifest State { get; }

    /// <summary>Of the manifest itself, whatever form it is written in.</summary>
    public ContentHash Hash => _hash.Value;

    /// <inheritdoc/>
    public bool Equals(CheckpointManifest? other) => other is not null && Hash == other.Hash;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CheckpointManifest);

    /// <inheritdoc/>
    public override int GetHashCode() => Hash.GetHashCode();
}
