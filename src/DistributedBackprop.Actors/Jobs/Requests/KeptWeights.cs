namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>How much memory the weights of jobs that have completed take: those of the oldest make room.</summary>
/// <param name="most">Bytes, ≥ 0; the newest stay whatever they take.</param>
internal sealed class KeptWeights(long most = 2L << 30)
{
    private readonly Queue<(string Id, long Bytes)> _kept = [];
    private long _bytes;

    /// <summary>There are more.</summary>
    /// <param name="id">Of which job.</param>
    /// <param name="bytes">How much they take.</param>
    /// <returns>The jobs whose weights are to be given up.</returns>
    public IReadOnlyList<string> Add(string id, long bytes)
    {
        var gone = new List<string>();
        if (bytes > 0)
        {
            _kept.Enqueue((id, bytes));
            _bytes += bytes;
        }

        while (_bytes > most && _kept.Count > 1)
        {
            var (oldest, size) = _kept.Dequeue();
            _bytes -= size;
            gone.Add(oldest);
        }

        return gone;
    }
}
