using System.Runtime.CompilerServices;

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
    public static void Transpose(float* rows, nint stride, int count, int depth, float* panel, int width)
    {
        for (var j = 0; j < width; j += 8)
        {
            var p = 0;
            if (j + 8 <= count)
            {
                for (; p + 8 <= depth; p += 8)
                {
                    Transpose8(rows + (j * stride) + p, stride, panel + ((nint)p * width) + j, width);
                }
            }

            TransposeRest(rows, stride, count, p, depth, panel, width, j);
        }
    }

    /// <summary>Copies a block of rows into a panel: <c>panel[p, j] = block[p, j]</c>.</summary>
    public static void Copy(float* block, nint stride, int columns, int depth, float* panel, int width)
    {
        for (var p = 0; p < depth; p++)
        {
            var from = new ReadOnlySpan<float>(block + (p * stride), columns);
            var to = new Span<float>(panel + ((nint)p * width), width);
            from.CopyTo(to);
            to[columns..].Clear();
        }
    }

    private static void TransposeRest(
        float* rows, nint stride, int count, int firstDepth, int depth, float* panel, int width, int firstColumn)
    {
        for (var p = firstDepth; p < depth; p++)
        {
            for (var j = firstColumn; j < firstColumn + 8; j++)
            {
                panel[((nint)p * width) + j] = j < count ? rows[(j * stride) + p] : 0;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose8(float* from, nint fromStride, float* to, nint toStride)
    {
        for (var i = 0; i < 8; i++)
        {
            for (var j = 0; j < 8; j++)
            {
                to[(j * toStride) + i] = from[(i * fromStride) + j];
            }
        }
    }
}
