namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// The seam between a kernel and the threads that run it. A kernel is a list of independent output tiles, so whoever
/// runs them, in whatever order and on however many threads, gets the same bits.
/// </summary>
public interface ITiles
{
    /// <summary>How many threads may work at once, ≥ 1: a hint for how finely to cut.</summary>
    int Width { get; }

    /// <summary>Runs tiles 0 … <paramref name="count"/>−1, each once, and returns when all are done.</summary>
    /// <param name="work">What a tile does. It must not call <see cref="Run"/>.</param>
    /// <param name="count">How many tiles there are, ≥ 0.</param>
    /// <exception cref="Exception">What a tile threw, after all threads have left the work.</exception>
    void Run(TileWork work, int count);
}
