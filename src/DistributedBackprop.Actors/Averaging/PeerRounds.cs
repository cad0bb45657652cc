namespace DistributedBackprop.Actors.Averaging;

/// <summary>The averagings under way, by step: at most two, for a fast peer may be one step ahead.</summary>
/// <typeparam name="TReady">The message by which a peer says that it is ready.</typeparam>
internal sealed class PeerRounds<TReady> : IDisposable
    where TReady : class, IPeerReady
{
    private readonly SortedDictionary<long, PeerRound<TReady>> _rounds = [];

    /// <summary>The averaging of a step, which the first message of it begins.</summary>
    /// <param name="step">After which step.</param>
    /// <param name="peers">How many peers there are.</param>
    public PeerRound<TReady> Of(long step, int peers)
    {
        if (!_rounds.TryGetValue(step, out var round))
        {
            _rounds.Add(step, round = new PeerRound<TReady>(peers));
        }

        return round;
    }

    /// <summary>Ends the averaging of a step; its shares are the caller's to give up.</summary>
    public void Remove(long step) => _rounds.Remove(step);

    /// <summary>Gives up the shares of all.</summary>
    public void Dispose()
    {
        foreach (var round in _rounds.Values)
        {
            round.Dispose();
        }

        _rounds.Clear();
    }
}
