using System.Collections.Immutable;
using System.Globalization;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// Says which pieces a state, or a part of it, is made of: everything that is needed to find it in a store and to know that
/// what is found is right. The pieces are in the order of the layout, each vector's from its first element to its last.
/// </summary>
public sealed class StateManifest : IEquatable<StateManifest>
{
    private readonly Lazy<ContentHash> _hash;

    /// <summary>Puts a manifest together.</summary>
    /// <param name="layoutHash">Of the layout that it follows (<see cref="StateLayout.Hash"/>).</param>
    /// <param name="chunks">Its pieces, in order.</param>
    public StateManifest(ContentHash layoutHash, ImmutableArray<StateChunk> chunks)
    {
        LayoutHash = layoutHash;
        Chunks = chunks;
        _hash = new(() => ManifestHash.Of(this));
    }

    /// <summary>Of the layout that it follows.</summary>
    public ContentHash LayoutHash { get; }

    /// <summary>Its pieces, in order.</summary>
    public ImmutableArray<StateChunk> Chunks { get; }

    /// <summary>Bytes of all pieces; one that is there twice counts twice.</summary>
    public long Bytes => Chunks.Sum(chunk => (long)chunk.Bytes);

    /// <summary>Of the manifest itself, whatever form it is written in.</summary>
    public ContentHash Hash => _hash.Value;

    /// <summary>The manifest of pieces that came in any order, from any number of writers.</summary>
    /// <param name="layout">What they must make up.</param>
    /// <param name="chunks">The pieces.</param>
    /// <exception cref="CheckpointException">One is missing, there twice, or of another state.</exception>
    public static StateManifest Of(StateLayout layout, IEnumerable<StateChunk> chunks)
    {
        ArgumentNullException.ThrowIfNull(layout);
        var byVector = chunks.GroupBy(chunk => chunk.Vector).ToDictionary(group => group.Key, group => group.OrderBy(chunk => chunk.Start));
        var ordered = layout.Vectors.SelectMany(vector =>
            byVector.Remove(vector, out var pieces) ? pieces.AsEnumerable() : []).ToImmutableArray();
        if (byVector.Count > 0)
        {
            throw new CheckpointException($"{byVector.Keys.First()} is no vector of this job's state");
        }

        var manifest = new StateManifest(layout.Hash, ordered);
        manifest.Check(layout);
        return manifest;
    }

    /// <summary>Checks that this is all of a state, and nothing else, before memory is taken for it.</summary>
    /// <param name="layout">What the job's state is made of.</param>
    /// <exception cref="CheckpointException">It is not; the message says where.</exception>
    public void Check(StateLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (LayoutHash != layout.Hash)
        {
            throw new CheckpointException($"the state is of another job: its layout must be {layout.Hash} (was {LayoutHash})");
        }

        var next = 0;
        foreach (var vector in layout.Vectors)
        {
            var length = layout.LengthOf(vector);
            for (var start = 0; start < length; next++)
            {
                if (next == Chunks.Length || Chunks[next].Vector != vector || Chunks[next].Start != start)
                {
                    throw new CheckpointException(string.Create(
                        CultureInfo.InvariantCulture, $"element {start} of {length} of {vector} is missing, or out of order"));
                }

                var chunk = Chunks[next];
                if (chunk.Length < 1 || chunk.Length > Math.Min(StateChunk.MaxLength, length - start))
                {
                    throw new CheckpointException($"{chunk}: that vector has {length} elements, a piece at most {StateChunk.MaxLength}");
                }

                start += chunk.Length;
            }
        }

        if (next != Chunks.Length)
        {
            throw new CheckpointException($"{Chunks[next]} is of no vector of this job's state, or there twice");
        }
    }

    /// <inheritdoc/>
    public bool Equals(StateManifest? other) => other is not null && Hash == other.Hash;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as StateManifest);

    /// <inheritdoc/>
    public override int GetHashCode() => Hash.GetHashCode();
}
