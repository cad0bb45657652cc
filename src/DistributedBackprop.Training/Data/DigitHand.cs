using System.Runtime.CompilerServices;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// One hand writing one digit: random numbers in, strokes on a canvas out. Turns use tan(angle/2), so no sine is needed,
/// and curves are Catmull–Rom splines (Catmull and Rom 1974), so everything is add, multiply and divide.
/// </summary>
internal static class DigitHand
{
    /// <summary>Random words that a drawing takes: some for the hand, then one for each point of a variant.</summary>
    public const int Words = 48;

    private const int HandWords = 12;
    private const int PiecesPerSpan = 4;

    // What a hand may do: half ranges of uniform distributions around the middle.
    private const float MiddleOfImage = 13.5f;
    private const float HeightMiddle = 18.5f;
    private const float HeightRange = 3.5f;
    private const float AspectMiddle = 0.68f;
    private const float AspectRange = 0.2f;
    private const float SlantMiddle = 0.1f;
    private const float SlantRange = 0.32f;
    private const float HalfTurnRange = 0.1f;
    private const float ShiftRange = 2.2f;
    private const float RadiusMiddle = 1.05f;
    private const float RadiusRange = 0.55f;
    private const float WobbleRange = 0.1f;

    /// <summary>Writes a digit.</summary>
    /// <param name="canvas">An empty canvas.</param>
    /// <param name="variants">The digit's variants.</param>
    /// <param name="words"><see cref="Words"/> random words.</param>
    /// <returns>The pen's radius in pixels.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Draw(DigitCanvas canvas, float[][][] variants, ReadOnlySpan<uint> words)
    {
        var variant = variants[(int)(((ulong)words[0] * (ulong)variants.Length) >> 32)];
        var height = HeightMiddle + (HeightRange * Signed(words[1]));
        var width = height * (AspectMiddle + (AspectRange * Signed(words[2])));
        var slant = SlantMiddle + (SlantRange * Signed(words[3]));
        var half = HalfTurnRange * (Signed(words[4]) + Signed(words[5]));
        var cosine = (1 - (half * half)) / (1 + (half * half));
        var sine = 2 * half / (1 + (half * half));
        var shiftX = MiddleOfImage + (ShiftRange * Signed(words[6]));
        var shiftY = MiddleOfImage + (ShiftRange * Signed(words[7]));
        var radius = RadiusMiddle + (RadiusRange * Signed(words[8]));
        var wobble = WobbleRange * 0.5f * (1 + Signed(words[9]));

        Span<float> points = stackalloc float[2 * DigitGlyphs.StrokePointsMax];
        var wobbleWord = HandWords;
        foreach (var stroke in variant)
        {
            for (var i = 0; i < stroke.Length; i += 2)
            {
                var word = words[wobbleWord++];
                var x = (stroke[i] - 0.5f + (wobble * Signed(word << 16))) * width;
                var y = (stroke[i + 1] - 0.5f + (wobble * Signed(word & 0xFFFF0000) * 0.7f)) * height;
                x -= slant * y;
                points[i] = shiftX + (cosine * x) - (sine * y);
                points[i + 1] = shiftY + (sine * x) + (cosine * y);
            }

            Curve(canvas, points[..stroke.Length], radius + 1);
        }

        return radius;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Curve(DigitCanvas canvas, ReadOnlySpan<float> points, float reach)
    {
        var last = points.Length - 2;
        float fromX = points[0], fromY = points[1];
        for (var i = 0; i < last; i += 2)
        {
            var before = Math.Max(0, i - 2);
            var after = Math.Min(last, i + 4);
            for (var piece = 1; piece <= PiecesPerSpan; piece++)
            {
                var t = piece * (1f / PiecesPerSpan);
                var x = Spline(points[before], points[i], points[i + 2], points[after], t);
                var y = Spline(points[before + 1], points[i + 1], points[i + 3], points[after + 1], t);
                canvas.Line(fromX, fromY, x, y, reach);
                (fromX, fromY) = (x, y);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Spline(float p0, float p1, float p2, float p3, float t)
    {
        var slope = p2 - p0;
        var square = (2 * p0) - (5 * p1) + (4 * p2) - p3;
        var cube = (3 * (p1 - p2)) + p3 - p0;
        return p1 + (0.5f * t * (slope + (t * (square + (t * cube)))));
    }

    // −1 … 1, exact: 24 bits of a word.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Signed(uint word) => ((int)(word >> 8) - (1 << 23)) * (1f / (1 << 23));
}
