using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// The right side of a product in panels: 32 columns (the last panel 16 where no more are left), of which one row
/// follows the other without gaps, so that a kernel reads memory straight on. Columns that are not there are +0.
/// </summary>
internal static unsafe class WeightPacking
{
    /// <summary>Columns of a panel.</summary>
    public const int PanelColumns = 32;

    /// <summary>Columns of the panel at a column, of <paramref name="left"/> that are left.</summary>
    public static int WidthOf(int left) => left > 16 ? PanelColumns : 16;

    /// <summary>Packs some rows of a weight, as all of them would be.</summary>
    /// <param name="weight">W [n, k].</param>
    /// <param name="n">Rows of the whole weight.</param>
    /// <param name="k">Columns.</param>
    /// <param name="packed">The whole of what is packed.</param>
    /// <param name="firstRow">A multiple of <see cref="PanelColumns"/>.</param>
    /// <param name="rows">How many: to a multiple of it, or to the end.</param>
    public static void PackRows(float* weight, int n, int k, float* packed, int firstRow, int rows)
    {
        for (var row = firstRow; row < firstRow + rows; row += PanelColumns)
        {
            var count = Math.Min(PanelColumns, n - row);
            Transpose(weight + ((nint)row * k), k, count, k, packed + ((nint)row * k), WidthOf(count));
        }
    }

    /// <summary>
    /// Transposes rows of a matrix into a panel: <c>panel[p, j] = rows[j, p]</c>.
    /// </summary>
    /// <param name="rows">The first of the rows, <paramref name="count"/> × <paramref name="depth"/>.</param>
    /// <param name="stride">Floats from one row to the next.</param>
    /// <param name="count">How many rows there are, at most <paramref name="width"/>.</param>
    /// <param name="depth">How many elements of each row to take.</param>
    /// <param name="panel">Where to, <paramref name="depth"/> × <paramref name="width"/>.</param>
    /// <param name="width">16 or 32.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(float* rows, nint stride, int count, int depth, float* panel, int width)
    {
        nint p = 0;
        for (; p + 4 <= depth; p += 4)
        {
            for (var j = 0; j < width; j += 16)
            {
                var from = rows + (j * stride) + p;
                var to = panel + (p * width) + j;
                if (j + 16 <= count)
                {
                    TransposeFour(from, stride, 16, to, width);
                }
                else
                {
                    TransposeFour(from, stride, count - j, to, width);
                }
            }
        }

        for (; p < depth; p++)
        {
            for (var j = 0; j < width; j++)
            {
                panel[(p * width) + j] = j < count ? rows[(j * stride) + p] : 0;
            }
        }
    }

    /// <summary>Copies a block of rows into a panel: <c>panel[p, j] = block[p, j]</c>, +0 where there are no columns.</summary>
    /// <param name="block">Its element [0, 0].</param>
    /// <param name="stride">Floats from one of its rows to the next.</param>
    /// <param name="columns">Its columns, at most <paramref name="width"/>.</param>
    /// <param name="depth">Its rows.</param>
    /// <param name="panel">Where to, <paramref name="depth"/> × <paramref name="width"/>.</param>
    /// <param name="width">16 or 32.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(float* block, nint stride, int columns, int depth, float* panel, int width)
    {
        for (; depth > 0; depth--, block += stride, panel += width)
        {
            if (columns == PanelColumns)
            {
                Vector512.Load(block).Store(panel);
                Vector512.Load(block + 16).Store(panel + 16);
                continue;
            }

            Vector512<float>.Zero.Store(panel);
            if (width > 16)
            {
                Vector512<float>.Zero.Store(panel + 16);
            }

            CopyRow(block, columns, panel);
        }
    }

    /// <summary>Copies some floats, fewer than a panel has columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopyRow(float* from, int count, float* to)
    {
        var i = 0;
        for (; i + 8 <= count; i += 8)
        {
            Vector256.Load(from + i).Store(to + i);
        }

        if (i + 4 <= count)
        {
            Vector128.Load(from + i).Store(to + i);
            i += 4;
        }

        for (; i < count; i++)
        {
            to[i] = from[i];
        }
    }

    // Four columns of up to sixteen rows become four rows of sixteen. Each vector is put together from the same four
    // columns of four rows, so that what is left are transpositions of 4×4 within its quarters.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeFour(float* from, nint stride, int count, float* to, nint toStride)
    {
        var r0 = Quarters(from, stride, 0, count);
        var r1 = Quarters(from, stride, 1, count);
        var r2 = Quarters(from, stride, 2, count);
        var r3 = Quarters(from, stride, 3, count);
        var low01 = Interleave.Low(r0, r1).AsDouble();
        var high01 = Interleave.High(r0, r1).AsDouble();
        var low23 = Interleave.Low(r2, r3).AsDouble();
        var high23 = Interleave.High(r2, r3).AsDouble();
        Interleave.Low(low01, low23).AsSingle().Store(to);
        Interleave.High(low01, low23).AsSingle().Store(to + toStride);
        Interleave.Low(high01, high23).AsSingle().Store(to + (2 * toStride));
        Interleave.High(high01, high23).AsSingle().Store(to + (3 * toStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarters(float* from, nint stride, int row, int count) => Vector512.Create(
        Vector256.Create(Quarter(from, stride, row, count), Quarter(from, stride, row + 4, count)),
        Vector256.Create(Quarter(from, stride, row + 8, count), Quarter(from, stride, row + 12, count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Quarter(float* from, nint stride, int row, int count) =>
        row < count ? Vector128.Load(from + (row * stride)) : default;
}
