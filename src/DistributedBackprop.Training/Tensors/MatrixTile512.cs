using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// The tile kernel on 512-bit vectors: up to 8 rows by 32 columns.
/// Of 32 registers 16 hold sums: twice what hides the latency of a fused multiply-add.
/// The rows are written out because only locals live in registers; what an extent does not use is compiled away.
/// </summary>
internal static unsafe class MatrixTile512
{
    /// <summary>The most rows of a tile.</summary>
    public const int Rows = 8;

    private const int Lanes = 16;

    /// <summary>Computes one tile, its extents and the order of its left side given as types.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compute<TRows, TVectors, TLeft>(in TileOperands operands)
        where TRows : struct, ITileExtent
        where TVectors : struct, ITileExtent
        where TLeft : struct, ILeftOrder
    {
        Vector512<float> c00 = default, c01 = default;
        Vector512<float> c10 = default, c11 = default;
        Vector512<float> c20 = default, c21 = default;
        Vector512<float> c30 = default, c31 = default;
        Vector512<float> c40 = default, c41 = default;
        Vector512<float> c50 = default, c51 = default;
        Vector512<float> c60 = default, c61 = default;
        Vector512<float> c70 = default, c71 = default;
        if (operands.Continues)
        {
            var old = operands.C;
            Load<TRows, TVectors>(0, old, ref c00, ref c01);
            Load<TRows, TVectors>(1, old + operands.CStride, ref c10, ref c11);
            Load<TRows, TVectors>(2, old + (2 * operands.CStride), ref c20, ref c21);
            Load<TRows, TVectors>(3, old + (3 * operands.CStride), ref c30, ref c31);
            Load<TRows, TVectors>(4, old + (4 * operands.CStride), ref c40, ref c41);
            Load<TRows, TVectors>(5, old + (5 * operands.CStride), ref c50, ref c51);
            Load<TRows, TVectors>(6, old + (6 * operands.CStride), ref c60, ref c61);
            Load<TRows, TVectors>(7, old + (7 * operands.CStride), ref c70, ref c71);
        }

        var a = operands.A;
        var b = operands.B;
        var bStride = operands.BStride;
        var aStride = operands.AStride;
        var a1 = TLeft.RowMajor ? a + aStride : null;
        var a2 = TLeft.RowMajor ? a + (2 * aStride) : null;
        var a3 = TLeft.RowMajor ? a + (3 * aStride) : null;
        var a4 = TLeft.RowMajor ? a + (4 * aStride) : null;
        var a5 = TLeft.RowMajor ? a + (5 * aStride) : null;
        var a6 = TLeft.RowMajor ? a + (6 * aStride) : null;
        var a7 = TLeft.RowMajor ? a + (7 * aStride) : null;
        var depth = operands.Depth;
        for (nint p = 0; p < depth; p++)
        {
            var b0 = Vector512.Load(b);
            var b1 = TVectors.Count > 1 ? Vector512.Load(b + Lanes) : default;
            Step<TRows, TVectors>(0, TLeft.RowMajor ? a + p : a, b0, b1, ref c00, ref c01);
            Step<TRows, TVectors>(1, TLeft.RowMajor ? a1 + p : a + 1, b0, b1, ref c10, ref c11);
            Step<TRows, TVectors>(2, TLeft.RowMajor ? a2 + p : a + 2, b0, b1, ref c20, ref c21);
            Step<TRows, TVectors>(3, TLeft.RowMajor ? a3 + p : a + 3, b0, b1, ref c30, ref c31);
            Step<TRows, TVectors>(4, TLeft.RowMajor ? a4 + p : a + 4, b0, b1, ref c40, ref c41);
            Step<TRows, TVectors>(5, TLeft.RowMajor ? a5 + p : a + 5, b0, b1, ref c50, ref c51);
            Step<TRows, TVectors>(6, TLeft.RowMajor ? a6 + p : a + 6, b0, b1, ref c60, ref c61);
            Step<TRows, TVectors>(7, TLeft.RowMajor ? a7 + p : a + 7, b0, b1, ref c70, ref c71);
            b += bStride;
            if (!TLeft.RowMajor)
            {
                a += aStride;
            }
        }

        var c = operands.C;
        Store<TRows, TVectors>(0, c, c00, c01);
        Store<TRows, TVectors>(1, c + operands.CStride, c10, c11);
        Store<TRows, TVectors>(2, c + (2 * operands.CStride), c20, c21);
        Store<TRows, TVectors>(3, c + (3 * operands.CStride), c30, c31);
        Store<TRows, TVectors>(4, c + (4 * operands.CStride), c40, c41);
        Store<TRows, TVectors>(5, c + (5 * operands.CStride), c50, c51);
        Store<TRows, TVectors>(6, c + (6 * operands.CStride), c60, c61);
        Store<TRows, TVectors>(7, c + (7 * operands.CStride), c70, c71);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load<TRows, TVectors>(int row, float* c, ref Vector512<float> c0, ref Vector512<float> c1)
        where TRows : struct, ITileExtent
        where TVectors : struct, ITileExtent
    {
        if (row < TRows.Count)
        {
            c0 = Vector512.Load(c);
            if (TVectors.Count > 1)
            {
                c1 = Vector512.Load(c + Lanes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TRows, TVectors>(
        int row, float* a, Vector512<float> b0, Vector512<float> b1, ref Vector512<float> c0, ref Vector512<float> c1)
        where TRows : struct, ITileExtent
        where TVectors : struct, ITileExtent
    {
        if (row < TRows.Count)
        {
            var x = Vector512.Create(*a);
            c0 = Vector512.FusedMultiplyAdd(x, b0, c0);
            if (TVectors.Count > 1)
            {
                c1 = Vector512.FusedMultiplyAdd(x, b1, c1);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TRows, TVectors>(int row, float* c, Vector512<float> c0, Vector512<float> c1)
        where TRows : struct, ITileExtent
        where TVectors : struct, ITileExtent
    {
        if (row < TRows.Count)
        {
            c0.Store(c);
            if (TVectors.Count > 1)
            {
                c1.Store(c + Lanes);
            }
        }
    }
}
