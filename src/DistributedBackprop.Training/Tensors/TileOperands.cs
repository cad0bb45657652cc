namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// What a tile kernel computes: <c>c[i, j] = fma(a[i, p], b[p, j], …)</c> over p ascending, one chain for each element,
/// from +0 or from the old value; then, if asked, the bias is added and relu applied.
/// </summary>
internal unsafe struct TileOperands
{
    /// <summary>The left side's element [0, 0].</summary>
    public float* A;

    /// <summary>Floats from one row of the left side to the next, or in column order from one p to the next.</summary>
    public nint AStride;

    /// <summary>The right side's element [0, 0].</summary>
    public float* B;

    /// <summary>Floats from one p of the right side to the next.</summary>
    public nint BStride;

    /// <summary>The output's element [0, 0].</summary>
    public float* C;

    /// <summary>Floats from one row of the output to the next.</summary>
    public nint CStride;

    /// <summary>How many p there are.</summary>
    public nint Depth;

    /// <summary>Whether the chain goes on from the value in the output instead of starting at +0.</summary>
    public bool Continues;

    /// <summary>Whether relu is applied at the end.</summary>
    public bool Relu;

    /// <summary>One value for each column of the tile, added at the end, or null.</summary>
    public float* Bias;
}

/// <summary>A tile's extent as a type, so that the kernel of each extent is compiled on its own, without branches.</summary>
internal interface ITileExtent
{
    /// <summary>How many rows, or how many vectors.</summary>
    static abstract int Count { get; }
}

/// <summary>How the left side lies in memory, as a type.</summary>
internal interface ILeftOrder
{
    /// <summary>Whether the elements of one row follow each other, not those of one column.</summary>
    static abstract bool RowMajor { get; }
}

/// <summary>The extents and orders that are used.</summary>
internal static class Tile
{
    internal readonly struct One : ITileExtent
    {
        public static int Count => 1;
    }

    internal readonly struct Two : ITileExtent
    {
        public static int Count => 2;
    }

    internal readonly struct Three : ITileExtent
    {
        public static int Count => 3;
    }

    internal readonly struct Four : ITileExtent
    {
        public static int Count => 4;
    }

    internal readonly struct Five : ITileExtent
    {
        public static int Count => 5;
    }

    internal readonly struct Six : ITileExtent
    {
        public static int Count => 6;
    }

    internal readonly struct Seven : ITileExtent
    {
        public static int Count => 7;
    }

    internal readonly struct Eight : ITileExtent
    {
        public static int Count => 8;
    }

    internal readonly struct RowMajor : ILeftOrder
    {
        static bool ILeftOrder.RowMajor => true;
    }

    internal readonly struct ColumnMajor : ILeftOrder
    {
        static bool ILeftOrder.RowMajor => false;
    }
}
