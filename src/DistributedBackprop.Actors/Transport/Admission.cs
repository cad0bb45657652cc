using Microsoft.AspNetCore.Connections;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// How many connections a node keeps. Before its hello one costs little and is the first to go: when there are too many,
/// the oldest that has not said hello makes room, for whoever belongs here says it at once. Safe for any number of
/// threads.
/// </summary>
internal sealed class Admission(PlaneSettings settings) : IDeadline
{
    private readonly Lock _lock = new();
    private readonly LinkedList<AdmissionTicket> _strangers = new();
    private int _established;

    /// <summary>Connections that have yet to say hello.</summary>
    public int Strangers
    {
        get
        {
            lock (_lock)
            {
                return _strangers.Count;
            }
        }
    }

    /// <summary>Connections that have said hello.</summary>
    public int Established => Volatile.Read(ref _established);

    /// <summary>Lets a connection in.</summary>
    /// <returns>To be disposed of when it has ended.</returns>
    public AdmissionTicket Enter(ConnectionContext connection)
    {
        var ticket = new AdmissionTicket(this, connection, settings.Time.GetTimestamp());
        AdmissionTicket? oldest = null;
        lock (_lock)
        {
            if (_strangers.Count >= settings.MaxHandshakes)
            {
                oldest = _strangers.First!.Value;
                _strangers.RemoveFirst();
            }

            _strangers.AddLast(ticket.Node);
        }

        oldest?.Connection.Abort(new ConnectionAbortedException("Too many connections have yet to say hello."));
        return ticket;
    }

    public bool IsOverdue(TimeProvider time)
    {
        lock (_lock)
        {
            return _strangers.First is { Value: var oldest } && time.GetElapsedTime(oldest.Since) > settings.HelloDeadline;
        }
    }

    public void Expire()
    {
        var overdue = new List<AdmissionTicket>();
        lock (_lock)
        {
            while (_strangers.First is { Value: var oldest }
                && settings.Time.GetElapsedTime(oldest.Since) > settings.HelloDeadline)
            {
                _strangers.RemoveFirst();
                overdue.Add(oldest);
            }
        }

        foreach (var ticket in overdue)
        {
            ticket.Connection.Abort(new ConnectionAbortedException("It did not say hello in time."));
        }
    }

    internal bool TryEstablish(AdmissionTicket ticket)
    {
        lock (_lock)
        {
            // No longer in the list: it has been chosen to make room, or was too late.
            if (ticket.Node.List is null || _established >= settings.MaxConnections)
            {
                return false;
            }

            _strangers.Remove(ticket.Node);
            _established++;
            return true;
        }
    }

    internal void Leave(AdmissionTicket ticket, bool isEstablished)
    {
        lock (_lock)
        {
            if (isEstablished)
            {
                _established--;
            }
            else if (ticket.Node.List is not null)
            {
                _strangers.Remove(ticket.Node);
            }
        }
    }
}

/// <summary>A connection's leave to be here.</summary>
internal sealed class AdmissionTicket : IDisposable
{
    private readonly Admission _admission;
    private bool _isEstablished;

    public AdmissionTicket(Admission admission, ConnectionContext connection, long since)
    {
        _admission = admission;
        Connection = connection;
        Since = since;
        Node = new LinkedListNode<AdmissionTicket>(this);
    }

    public ConnectionContext Connection { get; }

    /// <summary>When it came, as the plane's clock counts.</summary>
    public long Since { get; }

    public LinkedListNode<AdmissionTicket> Node { get; }

    /// <summary>It has said hello.</summary>
    /// <returns>False where there is no room for it.</returns>
    public bool TryEstablish() => _isEstablished = _admission.TryEstablish(this);

    public void Dispose() => _admission.Leave(this, _isEstablished);
}
