namespace DistributedBackprop.Training.Tensors;

/// <summary>Packs a weight <c>[rows, depth]</c>; a tile is some panels.</summary>
internal sealed unsafe class PackingWork : TileWork
{
    private int _chunks;

    public required float* Weight { get; init; }

    public required int Rows { get; init; }

    public required int Depth { get; init; }

    public required float* Packed { get; init; }

    private int Panels => (int)(((long)Rows + WeightPacking.PanelColumns - 1) / WeightPacking.PanelColumns);

    /// <summary>Cuts the packing and runs it.</summary>
    public void Run(ITiles tiles)
    {
        _chunks = tiles.Width == 1 ? Math.Min(1, Panels) : Math.Min(Panels, 4 * tiles.Width);
        tiles.Run(this, _chunks);
    }

    /// <inheritdoc/>
    public override void RunTile(int tile)
    {
        var first = (int)((long)Panels * tile / _chunks);
        var last = (int)((long)Panels * (tile + 1) / _chunks);
        for (var panel = first; panel < last; panel++)
        {
            var row = panel * WeightPacking.PanelColumns;
            var count = Math.Min(WeightPacking.PanelColumns, Rows - row);
            WeightPacking.Transpose(
                Weight + ((nint)row * Depth), Depth, count, Depth, Packed + ((nint)row * Depth), WeightPacking.WidthOf(count));
        }
    }
}
