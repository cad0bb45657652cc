using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// A state on its way back from a store: memory for it, taken after its manifest was checked, into which each piece is read
/// and judged. It owns its tensors until they are handed on or it is disposed.
/// </summary>
public sealed class StoredState : IDisposable
{
    private readonly StateLayout _layout;
    private readonly TensorPool _pool;
    private readonly Dictionary<StateVector, Tensor> _vectors = [];
    private readonly Dictionary<ContentHash, List<StateChunk>> _missing = [];

    /// <summary>Takes memory for a state.</summary>
    /// <param name="manifest">Says what it is made of.</param>
    /// <param name="layout">What it must be made of.</param>
    /// <param name="pool">Lends memory.</param>
    /// <exception cref="CheckpointException">The manifest is of another state.</exception>
    public StoredState(StateManifest manifest, StateLayout layout, TensorPool pool)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(layout);
        manifest.Check(layout);
        (_layout, _pool) = (layout, pool);
        foreach (var chunk in manifest.Chunks)
        {
            if (!_missing.TryGetValue(chunk.Hash, out var places))
            {
                _missing.Add(chunk.Hash, places = []);
            }

            places.Add(chunk);
            if (chunk.Length != places[0].Length)
            {
                throw new CheckpointException($"{places[0]} and {chunk} have one hash and two lengths");
            }
        }

        foreach (var vector in layout.Vectors)
        {
            _vectors.Add(vector, Tensor.Rent(pool, new Shape(layout.LengthOf(vector)), StateLayout.TypeOf(vector)));
        }
    }

    /// <summary>The pieces that have not come yet, each once, in the order of the manifest.</summary>
    public IEnumerable<ContentHash> Missing => _missing.Keys;

    /// <summary>A piece that has not come yet, to say where it belongs.</summary>
    public StateChunk PlaceOf(ContentHash hash) => _missing[hash][0];

    /// <summary>The memory that a piece is read into: nobody else's, of exactly its bytes.</summary>
    public Memory<byte> MemoryOf(ContentHash hash) => MemoryOf(_missing[hash][0]);

    /// <summary>A piece was read into its memory. Judges it.</summary>
    /// <returns>Whether it is the right one. Else it stays missing.</returns>
    public bool TryAccept(ContentHash hash)
    {
        var places = _missing[hash];
        var content = MemoryOf(places[0]).Span;
        if (ContentHash.Of(content) != hash)
        {
            return false;
        }

        // What is stored once may be needed in several places.
        foreach (var place in places.Skip(1))
        {
            content.CopyTo(MemoryOf(place).Span);
        }

        return _missing.Remove(hash);
    }

    /// <summary>The state, whose tensors the caller owns from now on.</summary>
    /// <exception cref="InvalidOperationException">A piece is missing.</exception>
    public TrainingState Take()
    {
        if (_missing.Count > 0)
        {
            throw new InvalidOperationException($"{_missing.Count} pieces of the state have not come.");
        }

        var state = new TrainingState(_layout, _pool);
        foreach (var (vector, tensor) in _vectors)
        {
            state.Add(vector, 0, tensor);
        }

        _vectors.Clear();
        return state;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _vectors.Values)
        {
            tensor.Dispose();
        }

        _vectors.Clear();
    }

    private Memory<byte> MemoryOf(StateChunk chunk) =>
        _vectors[chunk.Vector].Bytes.Slice(chunk.Start * sizeof(float), chunk.Bytes);
}
