namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// One way of a connection between two hosts, as TCP is: nothing is lost and nothing overtakes; what cannot go now waits.
/// What is under way arrives also after its sender has died.
/// </summary>
internal sealed class Pipe(SimulationLoop loop, Weather weather, SimulatedNode from, SimulatedNode to, KeyedGenerator draws)
{
    private readonly Queue<(TimeSpan Due, Action Arrive)> _underWay = new();
    private TimeSpan _newest;
    private bool _isMoving;
    private bool _isClosed;

    /// <summary>How much is under way.</summary>
    public int UnderWay => _underWay.Count;

    /// <summary>Whether nothing comes of it any more.</summary>
    public bool IsClosed => _isClosed || to.IsKilled;

    /// <summary>Sends something.</summary>
    /// <param name="bytes">How large it is.</param>
    /// <param name="arrive">What happens on the other host when it is there.</param>
    public void Send(int bytes, Action arrive)
    {
        if (IsClosed)
        {
            return;
        }

        var due = loop.Now + weather.TimeOf(from.Name, to.Name, bytes, draws);
        _newest = due > _newest ? due : _newest;
        _underWay.Enqueue((_newest, arrive));
        Move();
    }

    /// <summary>The weather has changed: what stood may go on.</summary>
    public void Move()
    {
        if (_isMoving || IsClosed || !_underWay.TryPeek(out var next) || weather.Stands(from.Name, to.Name))
        {
            return;
        }

        _isMoving = true;
        loop.After(next.Due > loop.Now ? next.Due - loop.Now : TimeSpan.Zero, Arrive);
    }

    /// <summary>Whatever is under way is lost: the connection is broken.</summary>
    public void Close()
    {
        _isClosed = true;
        _underWay.Clear();
    }

    private void Arrive()
    {
        _isMoving = false;
        if (!weather.Stands(from.Name, to.Name) && _underWay.TryDequeue(out var arrived) && to.IsAlive)
        {
            to.After(TimeSpan.Zero, () =>
            {
                if (!_isClosed)
                {
                    arrived.Arrive();
                }
            });
        }

        Move();
    }
}
