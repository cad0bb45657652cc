using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

/// <summary>A function of one number, on eight at once; a struct, so that the loop around it is compiled for it alone.</summary>
internal interface IElementwiseMap
{
    Vector256<float> Apply(Vector256<float> x);
}

/// <summary>A function of two numbers, on eight pairs at once.</summary>
internal interface IElementwiseZip
{
    Vector256<float> Apply(Vector256<float> x, Vector256<float> y);
}

/// <summary>
/// The loops over spans. What is left at the end goes through the same vector code in a padded register, so an
/// element's bits never depend on where in the span it stands.
/// </summary>
internal static class Elementwise
{
    /// <summary>destination[i] = map(source[i]). Source and destination are the same span, or do not overlap.</summary>
    // Compiled optimised at once: in the first tier a vector goes through memory at every operation.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map<TMap>(TMap map, ReadOnlySpan<float> source, Span<float> destination)
        where TMap : struct, IElementwiseMap
    {
        RequireEqualLengths(source.Length, destination.Length);
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination);
        var i = 0;
        for (; i <= source.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            map.Apply(Vector256.LoadUnsafe(ref from, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        }

        if (i < source.Length)
        {
            StorePartial(map.Apply(LoadPartial(source[i..], 0f)), destination[i..]);
        }
    }

    /// <summary>second[i] = zip(first[i], second[i]). The spans are the same, or do not overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Zip<TZip>(TZip zip, ReadOnlySpan<float> first, Span<float> second)
        where TZip : struct, IElementwiseZip
    {
        RequireEqualLengths(first.Length, second.Length);
        ref var x = ref MemoryMarshal.GetReference(first);
        ref var y = ref MemoryMarshal.GetReference(second);
        var i = 0;
        for (; i <= first.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            zip.Apply(Vector256.LoadUnsafe(ref x, (nuint)i), Vector256.LoadUnsafe(ref y, (nuint)i))
                .StoreUnsafe(ref y, (nuint)i);
        }

        if (i < first.Length)
        {
            StorePartial(zip.Apply(LoadPartial(first[i..], 0f), LoadPartial(second[i..], 0f)), second[i..]);
        }
    }

    /// <summary>Fewer than eight numbers (or eight), the lanes behind them filled with <paramref name="padding"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadPartial(ReadOnlySpan<float> source, float padding)
    {
        var vector = Vector256.Create(padding);
        source.CopyTo(AsSpan(ref vector));
        return vector;
    }

    /// <summary>The first lanes, as many as the destination holds (at most eight).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Vector256<float> vector, Span<float> destination) =>
        AsSpan(ref vector)[..destination.Length].CopyTo(destination);

    /// <summary>All bits set in the first <paramref name="count"/> lanes; none for counts below 1, all from 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> FirstLanes(int count) =>
        Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();

    private static Span<float> AsSpan(ref Vector256<float> vector) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<Vector256<float>, float>(ref vector), Vector256<float>.Count);

    private static void RequireEqualLengths(int first, int second)
    {
        if (first != second)
        {
            throw new ArgumentException($"The spans must have one length, but have {first} and {second}.");
        }
    }
}
