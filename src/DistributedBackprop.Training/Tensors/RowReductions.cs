using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// Reductions within a row in 16 virtual lanes: lane i takes elements i, i + 16, …, then for h = 8, 4, 2, 1 lane i takes
/// in lane i + h. So the order of the additions is a property of the row's length alone, whatever the vector width. A
/// lane without a further element keeps its value.
/// </summary>
public static class RowReductions
{
    /// <summary>Virtual lanes: two vectors of 256 bits, or one of 512.</summary>
    public const int Lanes = 16;

    private const int Half = Lanes / 2;

    /// <summary>The largest element, by (lane &gt; x ? lane : x) beginning at −∞; of an empty row −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Maximum(ReadOnlySpan<float> row)
    {
        var low = Vector256.Create(float.NegativeInfinity);
        var high = low;
        var i = 0;
        for (; i <= row.Length - Lanes; i += Lanes)
        {
            low = Larger(low, Vector256.Create(row.Slice(i, Half)));
            high = Larger(high, Vector256.Create(row.Slice(i + Half, Half)));
        }

        var (tailLow, tailHigh) = LoadTail(row[i..]);
        var (useLow, useHigh) = TailLanes(row.Length - i);
        low = Vector256.ConditionalSelect(useLow, Larger(low, tailLow), low);
        high = Vector256.ConditionalSelect(useHigh, Larger(high, tailHigh), high);

        var eight = Larger(low, high);
        var four = Larger(eight.GetLower(), eight.GetUpper());
        var two = Larger(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return two[0] > two[1] ? two[0] : two[1];
    }

    /// <summary>The sum of the elements, beginning at +0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Sum(ReadOnlySpan<float> row)
    {
        var low = Vector256<float>.Zero;
        var high = low;
        var i = 0;
        for (; i <= row.Length - Lanes; i += Lanes)
        {
            low += Vector256.Create(row.Slice(i, Half));
            high += Vector256.Create(row.Slice(i + Half, Half));
        }

        // A lane that began at +0 is never −0, so adding the +0 of the padding keeps its value.
        var (tailLow, tailHigh) = LoadTail(row[i..]);
        return AddLanes(low + tailLow, high + tailHigh);
    }

    /// <summary>The scalar product of two rows: lane ← fma(x, y, lane), beginning at +0.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        if (x.Length != y.Length)
        {
            throw new ArgumentException($"The rows must have one length, but have {x.Length} and {y.Length}.");
        }

        var low = Vector256<float>.Zero;
        var high = low;
        var i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            low = Vector256.FusedMultiplyAdd(
                Vector256.Create(x.Slice(i, Half)), Vector256.Create(y.Slice(i, Half)), low);
            high = Vector256.FusedMultiplyAdd(
                Vector256.Create(x.Slice(i + Half, Half)), Vector256.Create(y.Slice(i + Half, Half)), high);
        }

        // A product that underflows can have left −0 in a lane: a lane without an element must not add even +0.
        var (xLow, xHigh) = LoadTail(x[i..]);
        var (yLow, yHigh) = LoadTail(y[i..]);
        var (useLow, useHigh) = TailLanes(x.Length - i);
        low = Vector256.ConditionalSelect(useLow, Vector256.FusedMultiplyAdd(xLow, yLow, low), low);
        high = Vector256.ConditionalSelect(useHigh, Vector256.FusedMultiplyAdd(xHigh, yHigh, high), high);
        return AddLanes(low, high);
    }

    /// <summary>
    /// The index of the largest element, the lowest in a tie. NaN is larger than nothing, but one that comes first
    /// stays: the index that a loop over "x &gt; best" finds. Of an empty row 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int IndexOfLargest(ReadOnlySpan<float> row)
    {
        if (row.IsEmpty || float.IsNaN(row[0]))
        {
            return 0;
        }

        // First the value, in any order; then where it stands first. Branches on the values would be guessed wrongly.
        var best = Vector256.Create(row[0]);
        var i = 0;
        for (; i <= row.Length - Half; i += Half)
        {
            best = Larger(Vector256.Create(row.Slice(i, Half)), best);
        }

        best = Larger(Elementwise.LoadPartial(row[i..], row[0]), best);
        var four = Larger(best.GetLower(), best.GetUpper());
        var two = Larger(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        var largest = Vector256.Create(two[0] > two[1] ? two[0] : two[1]);
        for (i = 0; i <= row.Length - Half; i += Half)
        {
            if (Vector256.EqualsAny(Vector256.Create(row.Slice(i, Half)), largest))
            {
                break;
            }
        }

        var last = Elementwise.LoadPartial(row.Slice(i, Math.Min(Half, row.Length - i)), float.NaN);
        return i + BitOperations.TrailingZeroCount(Vector256.Equals(last, largest).ExtractMostSignificantBits());
    }

    /// <summary>
    /// Σ exp(xᵢ − maximum) in lanes, beginning at +0; the terms are kept in <paramref name="exponentials"/> unless that
    /// is empty. It may be the row itself.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static float SumOfExponentials(ReadOnlySpan<float> row, float maximum, Span<float> exponentials)
    {
        var m = Vector256.Create(maximum);
        var low = Vector256<float>.Zero;
        var high = low;
        var i = 0;
        for (; i <= row.Length - Lanes; i += Lanes)
        {
            var termLow = Elementary.Exp(Vector256.Create(row.Slice(i, Half)) - m);
            var termHigh = Elementary.Exp(Vector256.Create(row.Slice(i + Half, Half)) - m);
            low += termLow;
            high += termHigh;
            if (!exponentials.IsEmpty)
            {
                termLow.CopyTo(exponentials[i..]);
                termHigh.CopyTo(exponentials[(i + Half)..]);
            }
        }

        var rest = row[i..];
        if (rest.IsEmpty)
        {
            return AddLanes(low, high);
        }

        var (xLow, xHigh) = LoadTail(rest);
        var (useLow, useHigh) = TailLanes(rest.Length);
        xLow = Elementary.Exp(xLow - m) & useLow;
        xHigh = Elementary.Exp(xHigh - m) & useHigh;
        if (!exponentials.IsEmpty)
        {
            Elementwise.StorePartial(xLow, exponentials.Slice(i, Math.Min(rest.Length, Half)));
            Elementwise.StorePartial(xHigh, exponentials.Slice(Math.Min(i + Half, row.Length), Math.Max(rest.Length - Half, 0)));
        }

        return AddLanes(low + xLow, high + xHigh);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float AddLanes(Vector256<float> low, Vector256<float> high)
    {
        var eight = low + high;
        var four = eight.GetLower() + eight.GetUpper();
        var two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1));
        return two[0] + two[1];
    }

    /// <summary>a &gt; b ? a : b, written out: the runtime's maximum treats NaN and zeros otherwise.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Larger(Vector256<float> a, Vector256<float> b) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(a, b), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Larger(Vector128<float> a, Vector128<float> b) =>
        Vector128.ConditionalSelect(Vector128.GreaterThan(a, b), a, b);

    /// <summary>Fewer than 16 elements, then +0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Low, Vector256<float> High) LoadTail(ReadOnlySpan<float> tail) => tail.Length <= Half
        ? (Elementwise.LoadPartial(tail, 0f), Vector256<float>.Zero)
        : (Vector256.Create(tail), Elementwise.LoadPartial(tail[Half..], 0f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Low, Vector256<float> High) TailLanes(int count) =>
        (Elementwise.FirstLanes(count), Elementwise.FirstLanes(count - Half));
}
