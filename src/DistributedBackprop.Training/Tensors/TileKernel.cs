using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

/// <summary>Which vectors a kernel computes with. The bits are the same.</summary>
internal enum VectorWidth
{
    /// <summary>AVX2.</summary>
    Bits256,

    /// <summary>AVX-512.</summary>
    Bits512,
}

/// <summary>Finds the compiled kernel of a tile's extents.</summary>
internal static class TileKernel
{
    /// <summary>The widest that this processor is good at.</summary>
    public static VectorWidth Widest =>
        Vector512.IsHardwareAccelerated ? VectorWidth.Bits512 : VectorWidth.Bits256;

    /// <summary>How many rows to give to a tile when there are still so many to do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int RowsOf(VectorWidth width, int left)
    {
        var most = width == VectorWidth.Bits512 ? MatrixTile512.Rows : MatrixTile256.Rows;
        if (left <= most)
        {
            return left;
        }

        // Two tiles of about the same height rather than a full one and a sliver, which would wait for its own sums.
        return left >= 2 * most ? most : (left + 1) / 2;
    }

    /// <summary>Computes one tile.</summary>
    /// <param name="width">On which vectors.</param>
    /// <param name="rows">As <see cref="RowsOf"/> says.</param>
    /// <param name="columns">32 or 16.</param>
    /// <param name="rowMajor">How the left side lies.</param>
    /// <param name="operands">The rest.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Compute(VectorWidth width, int rows, int columns, bool rowMajor, in TileOperands operands)
    {
        if (width == VectorWidth.Bits512)
        {
            Compute512(rows, columns, rowMajor, in operands);
        }
        else
        {
            Compute256(rows, rowMajor, in operands);
            if (columns > 16)
            {
                var right = operands;
                right.B += 16;
                right.C += 16;
                Compute256(rows, rowMajor, in right);
            }
        }

        // Not part of the kernels: it is compiled once, and the tile is still in the first-level cache.
        if (operands.Bias != null || operands.Relu)
        {
            Finish(rows, columns, in operands);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Finish(int rows, int columns, in TileOperands operands)
    {
        for (var column = 0; column < columns; column += 8)
        {
            var bias = operands.Bias != null ? Vector256.Load(operands.Bias + column) : default;
            var c = operands.C + column;
            for (var row = 0; row < rows; row++, c += operands.CStride)
            {
                // Without a bias nothing is added: −0 would become +0.
                var sum = operands.Bias != null ? Vector256.Load(c) + bias : Vector256.Load(c);

                // Not a maximum: a NaN passes through, and −0 becomes +0.
                var finished = operands.Relu
                    ? Vector256.ConditionalSelect(Vector256.LessThanOrEqual(sum, default), default, sum)
                    : sum;
                finished.Store(c);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute512(int rows, int columns, bool rowMajor, in TileOperands operands)
    {
        switch (rowMajor, columns > 16)
        {
            case (true, true):
                Compute512<Tile.Two, Tile.RowMajor>(rows, in operands);
                break;
            case (true, false):
                Compute512<Tile.One, Tile.RowMajor>(rows, in operands);
                break;
            case (false, true):
                Compute512<Tile.Two, Tile.ColumnMajor>(rows, in operands);
                break;
            default:
                Compute512<Tile.One, Tile.ColumnMajor>(rows, in operands);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute512<TVectors, TLeft>(int rows, in TileOperands operands)
        where TVectors : struct, ITileExtent
        where TLeft : struct, ILeftOrder
    {
        switch (rows)
        {
            case 8:
                MatrixTile512.Compute<Tile.Eight, TVectors, TLeft>(in operands);
                break;
            case 7:
                MatrixTile512.Compute<Tile.Seven, TVectors, TLeft>(in operands);
                break;
            case 6:
                MatrixTile512.Compute<Tile.Six, TVectors, TLeft>(in operands);
                break;
            case 5:
                MatrixTile512.Compute<Tile.Five, TVectors, TLeft>(in operands);
                break;
            case 4:
                MatrixTile512.Compute<Tile.Four, TVectors, TLeft>(in operands);
                break;
            case 3:
                MatrixTile512.Compute<Tile.Three, TVectors, TLeft>(in operands);
                break;
            case 2:
                MatrixTile512.Compute<Tile.Two, TVectors, TLeft>(in operands);
                break;
            default:
                MatrixTile512.Compute<Tile.One, TVectors, TLeft>(in operands);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute256(int rows, bool rowMajor, in TileOperands operands)
    {
        if (rowMajor)
        {
            Compute256<Tile.RowMajor>(rows, in operands);
        }
        else
        {
            Compute256<Tile.ColumnMajor>(rows, in operands);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute256<TLeft>(int rows, in TileOperands operands)
        where TLeft : struct, ILeftOrder
    {
        switch (rows)
        {
            case 6:
                MatrixTile256.Compute<Tile.Six, Tile.Two, TLeft>(in operands);
                break;
            case 5:
                MatrixTile256.Compute<Tile.Five, Tile.Two, TLeft>(in operands);
                break;
            case 4:
                MatrixTile256.Compute<Tile.Four, Tile.Two, TLeft>(in operands);
                break;
            case 3:
                MatrixTile256.Compute<Tile.Three, Tile.Two, TLeft>(in operands);
                break;
            case 2:
                MatrixTile256.Compute<Tile.Two, Tile.Two, TLeft>(in operands);
                break;
            default:
                MatrixTile256.Compute<Tile.One, Tile.Two, TLeft>(in operands);
                break;
        }
    }
}
