namespace DistributedBackprop.Training.Tensors;

/// <summary>One kernel call, cut into independent output tiles.</summary>
public abstract class TileWork
{
    /// <summary>Computes one tile. Called from any thread, for different tiles at once.</summary>
    /// <param name="tile">0 … count−1.</param>
    public abstract void RunTile(int tile);
}
