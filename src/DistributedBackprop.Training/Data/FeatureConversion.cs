using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// Turns stored features into what a network sees: one exact conversion and one float32 multiplication for each, so that
/// vector width and tails never show in the bits.
/// </summary>
internal static class FeatureConversion
{
    // Optimized at once: the first minibatches are part of the time to the first step.
    /// <summary><c>destination[i] = (float)source[i] * factor</c>; both spans have the same length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(ReadOnlySpan<byte> source, float factor, Span<float> destination)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination[..source.Length]);
        nuint i = 0;
        var length = (nuint)source.Length;
        if (Vector512.IsHardwareAccelerated)
        {
            var factors = Vector512.Create(factor);
            for (; i + 64 <= length; i += 64)
            {
                var (low, high) = Vector512.Widen(Vector512.LoadUnsafe(ref from, i));
                Store(Vector512.WidenLower(low), factors, ref to, i);
                Store(Vector512.WidenUpper(low), factors, ref to, i + 16);
                Store(Vector512.WidenLower(high), factors, ref to, i + 32);
                Store(Vector512.WidenUpper(high), factors, ref to, i + 48);
            }
        }

        if (Vector256.IsHardwareAccelerated)
        {
            var factors = Vector256.Create(factor);
            for (; i + 16 <= length; i += 16)
            {
                var (low, high) = Vector128.Widen(Vector128.LoadUnsafe(ref from, i));
                Store(Vector256.Create(Vector128.WidenLower(low), Vector128.WidenUpper(low)), factors, ref to, i);
                Store(Vector256.Create(Vector128.WidenLower(high), Vector128.WidenUpper(high)), factors, ref to, i + 8);
            }
        }

        for (; i < length; i++)
        {
            Unsafe.Add(ref to, i) = Unsafe.Add(ref from, i) * factor;
        }
    }

    /// <summary><c>destination[i] = source[i] * factor</c>; both spans have the same length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(ReadOnlySpan<float> source, float factor, Span<float> destination)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination[..source.Length]);
        nuint i = 0;
        var length = (nuint)source.Length;
        if (Vector256.IsHardwareAccelerated)
        {
            var factors = Vector256.Create(factor);
            for (; i + 8 <= length; i += 8)
            {
                (Vector256.LoadUnsafe(ref from, i) * factors).StoreUnsafe(ref to, i);
            }
        }

        for (; i < length; i++)
        {
            Unsafe.Add(ref to, i) = Unsafe.Add(ref from, i) * factor;
        }
    }

    // Through signed integers, as the hardware converts them: a byte is exact in either.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<uint> values, Vector512<float> factors, ref float to, nuint at) =>
        (Vector512.ConvertToSingle(values.AsInt32()) * factors).StoreUnsafe(ref to, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<uint> values, Vector256<float> factors, ref float to, nuint at) =>
        (Vector256.ConvertToSingle(values.AsInt32()) * factors).StoreUnsafe(ref to, at);
}
