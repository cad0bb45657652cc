using System.Runtime.CompilerServices;

namespace DistributedBackprop.Training.Tensors;

/// <summary>Where the right side <c>b[p, j]</c> of a product comes from.</summary>
internal enum RightSide
{
    /// <summary>Packed panels.</summary>
    Packed,

    /// <summary>A row-major matrix [p, j].</summary>
    Rows,

    /// <summary>A row-major matrix [j, p].</summary>
    Transposed,
}

/// <summary>
/// A product <c>c = a·b</c>, cut into tiles of some rows and some panels of columns. Within a tile the depth is cut into
/// blocks whose part of the right side fits the first-level cache; a block goes on from what the one before left in the
/// output, so no cut shows in the bits. (All that runs once for each tile is compiled at full strength from the start:
/// a process that trains for some seconds would spend them in the first tier.)
/// </summary>
internal sealed unsafe class ProductWork : TileWork
{
    // A block of the right side (288 × 32 floats, 36 KB) leaves room in a first-level cache of 48 KB for what streams by.
    private const int MostDepth = 288;

    // 512 × 288 floats of the left side stay in a second-level cache of 1 MB while all panels pass.
    private const int MostRows = 512;

    // Above so many rows a right side is read so often that copying it into a panel first pays.
    private const int MostRowsInPlace = 128;

    // The same where its rows do not begin at cache lines, or all fall on the same few sets of the caches.
    private const int MostRowsInPlaceBadly = 16;
    private const int AlignmentFloats = 16;

    private const int MostTileRows = MatrixTile512.Rows;

    // An edge tile, a padded bias, a panel.
    private const int ScratchFloats =
        ((MostDepth + MostTileRows + 1) * WeightPacking.PanelColumns) + AlignmentFloats;

    private int _rowChunks;
    private int _columnChunks;

    public required VectorWidth Vectors { get; init; }

    public required float* A { get; init; }

    public required nint AStride { get; init; }

    public required bool ARowMajor { get; init; }

    public required float* B { get; init; }

    public required nint BStride { get; init; }

    public required RightSide BSide { get; init; }

    public required float* C { get; init; }

    public required int Rows { get; init; }

    public required int Columns { get; init; }

    public required int Depth { get; init; }

    public bool Continues { get; init; }

    public bool Relu { get; init; }

    public float* Bias { get; init; }

    /// <summary>Where the sums of the left side's rows go (a bias gradient), or null.</summary>
    public float* RowSums { get; init; }

    /// <summary>Cuts the product and runs it.</summary>
    public void Run(ITiles tiles)
    {
        if (Rows == 0 || Columns == 0)
        {
            if (RowSums != null)
            {
                ColumnSums.Add(A, AStride, Depth, 0, Rows, RowSums, Continues);
            }

            return;
        }

        var panels = Chunks(Columns, WeightPacking.PanelColumns);
        _rowChunks = Chunks(Rows, MostRows);
        var wanted = tiles.Width == 1 ? 1 : 4 * tiles.Width;
        _columnChunks = Math.Min(panels, Math.Max(1, Chunks(wanted, _rowChunks)));
        if (_columnChunks * _rowChunks < wanted)
        {
            _rowChunks = Math.Min(Chunks(Rows, 16), Chunks(wanted, _columnChunks));
        }

        tiles.Run(this, _rowChunks * _columnChunks);
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void RunTile(int tile)
    {
        var scratch = stackalloc float[ScratchFloats];
        scratch = (float*)(((nuint)scratch + 63) & ~(nuint)63);
        var panels = Chunks(Columns, WeightPacking.PanelColumns);
        var column = tile / _rowChunks;
        var row = tile % _rowChunks;
        var firstRow = Cut(Rows, 8, _rowChunks, row);
        var lastRow = Cut(Rows, 8, _rowChunks, row + 1);
        var firstColumn = (int)((long)panels * column / _columnChunks) * WeightPacking.PanelColumns;
        var lastColumn = Math.Min(Columns, (int)((long)panels * (column + 1) / _columnChunks) * WeightPacking.PanelColumns);
        if (column == 0 && RowSums != null)
        {
            ColumnSums.Add(A, AStride, Depth, firstRow, lastRow, RowSums, Continues);
        }

        var blocks = Math.Max(1, Chunks(Depth, MostDepth));
        for (var block = 0; block < blocks; block++)
        {
            var first = Cut(Depth, 8, blocks, block);
            var last = Cut(Depth, 8, blocks, block + 1);
            for (var j = firstColumn; j < lastColumn; j += WeightPacking.PanelColumns)
            {
                Panel(firstRow, lastRow, j, first, last, scratch);
            }
        }
    }

    private static int Chunks(int length, int chunk) => (int)(((long)length + chunk - 1) / chunk);

    private static bool IsBad(nint stride) => stride % 16 != 0 || stride % 1024 == 0;

    // Where part number `index` of `parts` begins, at a multiple of `grain`.
    private static int Cut(int length, int grain, int parts, int index) =>
        (int)Math.Min(length, (long)Chunks(length, grain) * index / parts * grain);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Panel(int firstRow, int lastRow, int column, int first, int last, float* scratch)
    {
        var columns = Math.Min(WeightPacking.PanelColumns, Columns - column);
        var width = WeightPacking.WidthOf(columns);
        var operands = new TileOperands
        {
            AStride = AStride,
            BStride = width,
            CStride = Columns,
            Depth = last - first,
            Continues = Continues || first > 0,
            Relu = Relu && last == Depth,
            Bias = last == Depth && Bias != null ? Bias + column : null,
        };
        var panel = scratch + ((MostTileRows + 1) * WeightPacking.PanelColumns);
        SetRight(ref operands, column, columns, width, first, lastRow - firstRow, panel);
        if (columns < width && operands.Bias != null)
        {
            var padded = scratch + (MostTileRows * WeightPacking.PanelColumns);
            WeightPacking.Copy(operands.Bias, 0, columns, 1, padded, width);
            operands.Bias = padded;
        }

        for (var row = firstRow; row < lastRow;)
        {
            var rows = TileKernel.RowsOf(Vectors, lastRow - row);
            operands.A = ARowMajor ? A + (row * AStride) + first : A + row + (first * AStride);
            operands.C = C + ((nint)row * Columns) + column;
            if (columns == width)
            {
                TileKernel.Compute(Vectors, rows, width, ARowMajor, in operands);
            }
            else
            {
                Edge(in operands, rows, columns, width, scratch);
            }

            row += rows;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SetRight(
        ref TileOperands operands, int column, int columns, int width, int first, int rows, float* panel)
    {
        var depth = (int)operands.Depth;
        switch (BSide)
        {
            case RightSide.Packed:
                operands.B = B + ((nint)column * Depth) + ((nint)first * width);
                break;
            case RightSide.Transposed:
                WeightPacking.Transpose(B + (column * BStride) + first, BStride, columns, depth, panel, width);
                operands.B = panel;
                break;
            case RightSide.Rows when columns == width && rows <= (IsBad(BStride) ? MostRowsInPlaceBadly : MostRowsInPlace):
                operands.B = B + (first * BStride) + column;
                operands.BStride = BStride;
                break;
            default:
                WeightPacking.Copy(B + (first * BStride) + column, BStride, columns, depth, panel, width);
                operands.B = panel;
                break;
        }
    }

    // A tile that is narrower than the kernel: computed in scratch, where all columns exist.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Edge(in TileOperands operands, int rows, int columns, int width, float* scratch)
    {
        var inner = operands;
        inner.C = scratch;
        inner.CStride = width;
        if (operands.Continues)
        {
            WeightPacking.Copy(operands.C, operands.CStride, columns, rows, scratch, width);
        }

        TileKernel.Compute(Vectors, rows, width, ARowMajor, in inner);
        for (var i = 0; i < rows; i++)
        {
            WeightPacking.CopyRow(scratch + (i * width), columns, operands.C + (i * operands.CStride));
        }
    }
}
