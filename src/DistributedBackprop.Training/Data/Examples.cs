using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// Labelled examples in the order of their file: features of one shape, one label each. Immutable, safe for any number
/// of threads.
/// </summary>
public sealed class Examples
{
    private const int CacheLineBytes = 64;

    // Far enough to hide a trip to memory, near enough that what came is still there.
    private const int RowsAhead = 4;
    private const int MostPrefetchedBytes = 1024;

    private readonly byte[]? _bytes;
    private readonly float[]? _floats;
    private readonly int[] _labels;

    private Examples(Shape shape, byte[]? bytes, float[]? floats, int[] labels)
    {
        _bytes = bytes;
        _floats = floats;
        _labels = labels;
        Shape = shape;
    }

    /// <summary>The shape of one example's features, e.g. <c>[28, 28]</c>.</summary>
    public Shape Shape { get; }

    /// <summary>How the features are kept.</summary>
    public FeatureType FeatureType => _bytes is null ? FeatureType.Float32 : FeatureType.UInt8;

    /// <summary>How many examples there are, ≥ 1.</summary>
    public int Count => _labels.Length;

    /// <summary>The label of each example, ≥ 0.</summary>
    public ReadOnlySpan<int> Labels => _labels;

    /// <summary>All features as they lie in memory (floats little-endian), <c>[count, …shape]</c>.</summary>
    internal ReadOnlySpan<byte> FeatureBytes => _bytes ?? MemoryMarshal.AsBytes<float>(_floats);

    /// <summary>Examples whose features are bytes.</summary>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="features"><c>[count, …shape]</c>; taken over: the caller must not write to it again.</param>
    /// <param name="labels">One for each example, ≥ 0; taken over like the features.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, there is no example, or a label is negative.
    /// </exception>
    public static Examples OfBytes(Shape shape, byte[] features, int[] labels)
    {
        ArgumentNullException.ThrowIfNull(features);
        CheckLengths(shape, features.Length, labels);
        return new Examples(shape, features, null, labels);
    }

    /// <summary>Examples whose features are floats.</summary>
    /// <inheritdoc cref="OfBytes"/>
    public static Examples OfFloats(Shape shape, float[] features, int[] labels)
    {
        ArgumentNullException.ThrowIfNull(features);
        CheckLengths(shape, features.Length, labels);
        return new Examples(shape, null, features, labels);
    }

    /// <summary>
    /// Writes some examples' features, each multiplied by a factor in float32, and their labels, in the order asked for.
    /// Allocates nothing.
    /// </summary>
    /// <param name="indices">Which examples, 0 … <see cref="Count"/>−1.</param>
    /// <param name="factor">What every feature is multiplied by: <see cref="DataSet.Factor"/>.</param>
    /// <param name="destination"><c>[indices, …shape]</c>.</param>
    /// <param name="labels"><c>[indices]</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is no example's.</exception>
    /// <exception cref="ArgumentException">A destination has another length.</exception>
    public void Gather(ReadOnlySpan<int> indices, float factor, Span<float> destination, Span<int> labels)
    {
        var length = Shape.Length;
        if (destination.Length != (long)indices.Length * length)
        {
            throw new ArgumentException(
                $"{indices.Length} examples of {Shape} do not fill {destination.Length} elements.", nameof(destination));
        }

        if (labels.Length != indices.Length)
        {
            throw new ArgumentException($"{indices.Length} examples have not {labels.Length} labels.", nameof(labels));
        }

        for (var row = 0; row < indices.Length; row++)
        {
            var index = indices[row];
            if ((uint)index >= (uint)Count)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"There are examples 0 … {Count - 1}.");
            }

            if (row + RowsAhead < indices.Length)
            {
                Prefetch(indices[row + RowsAhead]);
            }

            labels[row] = _labels[index];
            var target = destination.Slice(row * length, length);
            if (_bytes is not null)
            {
                FeatureConversion.Scale(_bytes.AsSpan(index * length, length), factor, target);
            }
            else
            {
                FeatureConversion.Scale(_floats.AsSpan(index * length, length), factor, target);
            }
        }
    }

    // Rows in random order are cold, and no hardware foresees where the next begins; from there on it follows by itself.
    private unsafe void Prefetch(int index)
    {
        if (!Sse.IsSupported || (uint)index >= (uint)Count)
        {
            return;
        }

        var rowBytes = Math.Min(Shape.Length * (_bytes is null ? sizeof(float) : 1), MostPrefetchedBytes);
        ref var first = ref _bytes is null
            ? ref Unsafe.As<float, byte>(ref _floats![index * Shape.Length])
            : ref _bytes[index * Shape.Length];

        // Should the array move meanwhile, a wrong line comes into the cache, and nothing else happens.
        var at = (byte*)Unsafe.AsPointer(ref first);
        for (var offset = 0; offset < rowBytes; offset += CacheLineBytes)
        {
            Sse.Prefetch0(at + offset);
        }
    }

    private static void CheckLengths(Shape shape, int features, int[] labels)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Length == 0 || shape.Length == 0)
        {
            throw new ArgumentException($"There must be an example and a feature ({labels.Length} of {shape}).");
        }

        if (features != (long)labels.Length * shape.Length)
        {
            throw new ArgumentException($"{labels.Length} labelled examples of {shape} have not {features} features.");
        }

        foreach (var label in labels)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(label, nameof(labels));
        }
    }
}
