using System.Globalization;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>A piece of a vector of a job's state, which a store keeps under its hash.</summary>
/// <param name="Vector">Which vector.</param>
/// <param name="Start">The first element in the vector.</param>
/// <param name="Length">How many elements, 1 … <see cref="MaxLength"/>.</param>
/// <param name="Hash">Of the elements' bytes (4 each, little-endian).</param>
public readonly record struct StateChunk(StateVector Vector, int Start, int Length, ContentHash Hash)
{
    /// <summary>
    /// Elements of a piece at most: 1 MB, large enough that a row costs little beside it, small enough that one that did not
    /// change is not written again.
    /// </summary>
    public const int MaxLength = 1 << 18;

    /// <summary>Bytes of the piece.</summary>
    public int Bytes => Length * sizeof(float);

    /// <summary>
    /// Where a range of a vector is cut: at multiples of <see cref="MaxLength"/> in the vector, wherever the range begins,
    /// so that the same elements are the same pieces.
    /// </summary>
    /// <param name="start">The first element of the range in the vector.</param>
    /// <param name="length">Elements of the range.</param>
    public static IEnumerable<(int Start, int Length)> Cut(int start, int length)
    {
        var end = start + length;
        while (start < end)
        {
            var next = (int)Math.Min(end, ((start / MaxLength) + 1L) * MaxLength);
            yield return (start, next - start);
            start = next;
        }
    }

    /// <summary>For messages.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"elements {Start} … {Start + Length - 1} of slot {Vector.Slot}, layer {Vector.Layer}, replica {Vector.Replica} ({Hash})");
}
