namespace DistributedBackprop.Training.Tensors;

/// <summary>Runs tiles in order on the caller's thread: a single layer thread, and the simulation.</summary>
public sealed class SequentialTiles : ITiles
{
    /// <summary>It has no state: one serves all.</summary>
    public static SequentialTiles Instance { get; } = new();

    /// <inheritdoc/>
    public int Width => 1;

    /// <inheritdoc/>
    public void Run(TileWork work, int count)
    {
        ArgumentNullException.ThrowIfNull(work);
        for (var tile = 0; tile < count; tile++)
        {
            work.RunTile(tile);
        }
    }
}
