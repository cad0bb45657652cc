using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// One image while it is drawn: for each pixel the squared distance, in pixels, to the nearest stroke. The pen's width and
/// the noise come in when it is inked. Elementwise float32 only, so the bits are the same on every machine.
/// </summary>
/// <param name="distances">The memory to draw on: <see cref="Pixels"/> elements.</param>
internal readonly ref struct DigitCanvas(Span<float> distances)
{
    /// <summary>Pixels of a row, and rows.</summary>
    public const int Side = 28;

    /// <summary>Pixels of an image, a multiple of 16.</summary>
    public const int Pixels = Side * Side;

    private const float Far = 1e6f;

    // The standard deviation of the sum of four bytes: √(4·(256² − 1)/12).
    private const double ByteSumDeviation = 147.80053;
    private const int ByteSumMean = 510;

    private static readonly Vector256<float> _lanes = Vector256.Create(0f, 1, 2, 3, 4, 5, 6, 7);

    private readonly ref float _distances = ref MemoryMarshal.GetReference(distances[..Pixels]);

    /// <summary>Takes everything off.</summary>
    public void Clear() => MemoryMarshal.CreateSpan(ref _distances, Pixels).Fill(Far);

    /// <summary>Draws a straight line. Pixel (column, row) lies at x = column, y = row.</summary>
    /// <param name="x0">Where it begins.</param>
    /// <param name="y0">Where it begins.</param>
    /// <param name="x1">Where it ends.</param>
    /// <param name="y1">Where it ends.</param>
    /// <param name="reach">How far from the line a pixel can still be inked, in pixels.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Line(float x0, float y0, float x1, float y1, float reach)
    {
        var left = Math.Max(0, (int)(Math.Min(x0, x1) - reach));
        var right = Math.Min(Side - 1, (int)(Math.Max(x0, x1) + reach + 1));
        var top = Math.Max(0, (int)(Math.Min(y0, y1) - reach));
        var bottom = Math.Min(Side - 1, (int)(Math.Max(y0, y1) + reach + 1));
        float dx = x1 - x0, dy = y1 - y0;
        var square = (dx * dx) + (dy * dy);
        var inverse = square > 0 ? 1 / square : 0;
        var directionX = Vector256.Create(dx);
        var directionY = Vector256.Create(dy);
        var one = Vector256<float>.One;
        for (var row = top; row <= bottom; row++)
        {
            var y = row - y0;
            var alongY = Vector256.Create(y * dy);
            var offsetY = Vector256.Create(y);
            for (var column = left; column <= right; column += 8)
            {
                // The last eight of a row overlap those before: a minimum may be taken twice.
                var first = Math.Min(column, Side - 8);
                ref var place = ref Unsafe.Add(ref _distances, (row * Side) + first);
                var x = _lanes + Vector256.Create(first - x0);
                var along = ((x * directionX) + alongY) * inverse;
                along = Vector256.Min(Vector256.Max(along, Vector256<float>.Zero), one);
                var awayX = x - (along * directionX);
                var awayY = offsetY - (along * directionY);
                var distance = (awayX * awayX) + (awayY * awayY);
                Vector256.Min(Vector256.LoadUnsafe(ref place), distance).StoreUnsafe(ref place);
            }
        }
    }

    /// <summary>
    /// Inks every pixel: full within the pen's radius, fading over one pixel at its rim; then noise, nearly normal: the
    /// sum of a random word's four bytes.
    /// </summary>
    /// <param name="image">The image, <see cref="Pixels"/> bytes: 255 is full ink.</param>
    /// <param name="radius">The pen's radius in pixels.</param>
    /// <param name="words">A random word for each pixel.</param>
    /// <param name="noise">The noise's standard deviation, where full ink is 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Ink(Span<byte> image, float radius, ReadOnlySpan<uint> words, double noise)
    {
        ref var to = ref MemoryMarshal.GetReference(image[..Pixels]);
        ref var word = ref MemoryMarshal.GetReference(words[..Pixels]);
        var rim = Vector256.Create(radius + 0.5f);
        var noiseFactor = Vector256.Create((float)(noise * 255 / ByteSumDeviation));
        for (nuint i = 0; i < Pixels; i += 16)
        {
            var low = Pixel(ref _distances, ref word, i, rim, noiseFactor);
            var high = Pixel(ref _distances, ref word, i + 8, rim, noiseFactor);
            var shorts = Vector256.Narrow(low, high);
            Vector128.Narrow(shorts.GetLower().AsUInt16(), shorts.GetUpper().AsUInt16()).StoreUnsafe(ref to, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Pixel(
        ref float distances, ref uint words, nuint i, Vector256<float> rim, Vector256<float> noiseFactor)
    {
        var ink = rim - Vector256.Sqrt(Vector256.LoadUnsafe(ref distances, i));
        ink = Vector256.Min(Vector256.Max(ink, Vector256<float>.Zero), Vector256<float>.One) * 255f;
        var word = Vector256.LoadUnsafe(ref words, i);
        var pairs = Vector256.Create(0x00FF00FFu);
        var sums = (word & pairs) + ((word >>> 8) & pairs);
        sums = (sums & Vector256.Create(0xFFFFu)) + (sums >>> 16);
        var noise = Vector256.ConvertToSingle(sums.AsInt32() - Vector256.Create(ByteSumMean)) * noiseFactor;
        var value = ink + noise + Vector256.Create(0.5f);
        value = Vector256.Min(Vector256.Max(value, Vector256<float>.Zero), Vector256.Create(255f));
        return Vector256.ConvertToInt32(value);
    }
}
