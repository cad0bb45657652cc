using System.Runtime.CompilerServices;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// Draws 28×28 images of the digits 0 … 9, each with a hand of its own: writing variant, size, slant, turn, shift, pen,
/// wobble, pixel noise. Example i shows digit i mod 10 and is a pure function of (seed, purpose, i, noise), so examples
/// may be drawn in any order.
/// </summary>
internal static class DigitGenerator
{
    private const int ExamplesPerTile = 64;

    /// <summary>Draws a set.</summary>
    /// <param name="seed">The job's seed.</param>
    /// <param name="purpose">The key's purpose, one for each set.</param>
    /// <param name="count">Examples, ≥ 1.</param>
    /// <param name="noise">Standard deviation of the pixels' noise, 0 … 1.</param>
    /// <param name="tiles">Who runs the drawing.</param>
    /// <exception cref="DataException">The set would be too large for an array.</exception>
    public static Examples Generate(long seed, string purpose, int count, double noise, ITiles tiles)
    {
        if ((long)count * DigitCanvas.Pixels > Array.MaxLength)
        {
            throw new DataException("digits", $"{count} examples", $"1 … {Array.MaxLength / DigitCanvas.Pixels}");
        }

        var images = GC.AllocateUninitializedArray<byte>(count * DigitCanvas.Pixels);
        var labels = new int[count];
        tiles.Run(new Drawing(new Philox(seed, purpose, "digits"), noise, images, labels), ((count - 1) / ExamplesPerTile) + 1);
        return Examples.OfBytes(new Shape(DigitCanvas.Side, DigitCanvas.Side), images, labels);
    }

    private sealed class Drawing(Philox random, double noise, byte[] images, int[] labels) : TileWork
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void RunTile(int tile)
        {
            Span<uint> words = stackalloc uint[DigitHand.Words + DigitCanvas.Pixels];
            var canvas = new DigitCanvas(stackalloc float[DigitCanvas.Pixels]);
            var end = Math.Min(labels.Length, (tile + 1) * ExamplesPerTile);
            for (var example = tile * ExamplesPerTile; example < end; example++)
            {
                var digit = example % 10;
                labels[example] = digit;
                random.FillWords(words, first: 0, position: (uint)example, step: 0);
                canvas.Clear();
                var radius = DigitHand.Draw(canvas, DigitGlyphs.All[digit], words[..DigitHand.Words]);
                var image = images.AsSpan(example * DigitCanvas.Pixels, DigitCanvas.Pixels);
                canvas.Ink(image, radius, words[DigitHand.Words..], noise);
            }
        }
    }
}
