using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// The state of a job after a step, put together from parts that come in any order. It owns its tensors until disposed.
/// </summary>
/// <param name="layout">What it is made of.</param>
/// <param name="pool">Lends the memory of vectors that come in several parts.</param>
public sealed class TrainingState(StateLayout layout, TensorPool pool) : IDisposable
{
    private readonly Dictionary<StateVector, Vector> _vectors = [];
    private long _missing = layout.Elements;

    /// <summary>What it is made of.</summary>
    public StateLayout Layout => layout;

    /// <summary>Whether every element of every vector is there.</summary>
    public bool IsComplete => _missing == 0;

    /// <summary>Elements that are there.</summary>
    public long Taken => layout.Elements - _missing;

    /// <summary>A vector that is complete; borrowed.</summary>
    public Tensor this[StateVector vector] => _vectors[vector].Tensor;

    /// <summary>Takes in a part of a vector. Takes the tensor.</summary>
    /// <param name="vector">Which vector.</param>
    /// <param name="start">Its first element in the vector.</param>
    /// <param name="part">The elements.</param>
    /// <exception cref="ArgumentException">The part is not of this state, or was there before.</exception>
    public void Add(StateVector vector, int start, Tensor part)
    {
        ArgumentNullException.ThrowIfNull(part);
        var length = layout.LengthOf(vector);
        if (length == 0 || part.ElementType != StateLayout.TypeOf(vector) || start < 0 || part.Length > length - start)
        {
            var what = $"{part} at {start} of {vector}";
            part.Dispose();
            throw new ArgumentException($"{what} is not a part of this state (that vector has {length} elements).", nameof(part));
        }

        if (!_vectors.TryGetValue(vector, out var known))
        {
            // A vector that comes whole is kept as it is.
            known = part.Length == length
                ? new Vector(part.Share(new Shape(length)))
                : new Vector(Tensor.Rent(pool, new Shape(length), part.ElementType));
            _vectors.Add(vector, known);
        }

        using (part)
        {
            if (!known.TryMark(start, part.Length))
            {
                throw new ArgumentException($"{part} at {start} of {vector} came twice.", nameof(part));
            }

            if (part.Length < length)
            {
                Copy(part, known.Tensor, start);
            }
        }

        _missing -= part.Shape.Length;
    }

    /// <summary>A second owner's state on the same memory, of one that is complete.</summary>
    public TrainingState Share()
    {
        var share = new TrainingState(layout, pool);
        foreach (var (name, vector) in _vectors)
        {
            share.Add(name, 0, vector.Tensor.Share());
        }

        return share;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var vector in _vectors.Values)
        {
            vector.Tensor.Dispose();
        }

        _vectors.Clear();
    }

    private static void Copy(Tensor part, Tensor target, int start)
    {
        if (part.ElementType == ElementType.Int32)
        {
            part.Integers.CopyTo(target.Integers[start..]);
        }
        else
        {
            part.Floats.CopyTo(target.Floats[start..]);
        }
    }

    private sealed class Vector(Tensor tensor)
    {
        private readonly SortedDictionary<int, int> _ranges = [];

        public Tensor Tensor { get; } = tensor;

        // Few ranges per vector: one for each owner of a part, or for each frame.
        public bool TryMark(int start, int length)
        {
            foreach (var (other, otherLength) in _ranges)
            {
                if (start < other + otherLength && other < start + length)
                {
                    return false;
                }
            }

            return length == 0 || _ranges.TryAdd(start, length);
        }
    }
}
