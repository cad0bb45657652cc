namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// What has come of one averaging: who is ready and how many parts are done.
/// </summary>
/// <typeparam name="TReady">The message by which a peer says that it is ready.</typeparam>
/// <param name="peers">How many peers there are.</param>
internal sealed class PeerRound<TReady>(int peers) : IDisposable
    where TReady : class, IPeerReady
{
    private readonly TReady?[] _ready = new TReady?[peers];
    private int _partsDone;

    /// <summary>All peers' messages in the order of the replicas, once all are there.</summary>
    public IEnumerable<TReady> All => _ready!;

    /// <summary>One peer's message.</summary>
    public TReady this[int replica] => _ready[replica]!;

    /// <summary>Keeps a peer's message, and its shares. Returns whether all are there.</summary>
    public bool Add(TReady ready)
    {
        _ready[ready.Replica] = ready;
        return Array.TrueForAll(_ready, peer => peer is not null);
    }

    /// <summary>One part more is done. Returns whether all are.</summary>
    public bool PartDone() => ++_partsDone == _ready.Length;

    /// <summary>Gives up the shares.</summary>
    public void Dispose()
    {
        foreach (var ready in _ready)
        {
            ready?.Dispose();
        }
    }
}
