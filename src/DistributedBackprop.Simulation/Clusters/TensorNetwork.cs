namespace DistributedBackprop.Simulation.Clusters;

/// <summary>The connections for tensors between the hosts of a simulated cluster.</summary>
internal sealed class TensorNetwork
{
    private readonly SimulationLoop _loop;
    private readonly KeyedGenerator _draws;
    private readonly Dictionary<int, SimulatedPlane> _planes = [];
    private readonly List<SimulatedConnection> _connections = [];

    public TensorNetwork(SimulationLoop loop, Weather weather, int places)
    {
        _loop = loop;
        Weather = weather;
        Places = places;
        _draws = loop.Generator("network/tensors");
        weather.Cleared += MoveAll;
    }

    /// <summary>The state of the network.</summary>
    public Weather Weather { get; }

    /// <summary>Frames of each flow that a connection may have under way.</summary>
    public int Places { get; }

    /// <summary>Frames that have arrived.</summary>
    public long Frames { get; set; }

    /// <summary>What was sent that no node of ours sends.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>What becomes of a frame that arrives; null for nothing. To try mistakes.</summary>
    public Func<ArrivingFrame, ArrivingFrame?>? Interceptor { get; set; }

    /// <summary>A host listens.</summary>
    public void Add(SimulatedPlane plane) => _planes.Add(plane.Port, plane);

    /// <summary>Who listens at a port; null for nobody.</summary>
    public SimulatedPlane? At(int port) => _planes.GetValueOrDefault(port) is { Host.IsAlive: true } plane ? plane : null;

    /// <summary>The name of the host that has or had a port.</summary>
    public string NameAt(int port) => _planes.GetValueOrDefault(port)?.Host.Name ?? "";

    /// <summary>A time from host to host.</summary>
    public TimeSpan Latency() => Weather.Latency(_draws);

    /// <summary>One way from a host to another.</summary>
    public Pipe PipeOf(SimulatedNode from, SimulatedNode to) => new(_loop, Weather, from, to, _draws);

    /// <summary>A connection is made.</summary>
    public void Add(SimulatedConnection connection) => _connections.Add(connection);

    /// <summary>A host has died: those it was connected with hear of it as far as the network lets them.</summary>
    public void OnKilled(SimulatedNode host)
    {
        foreach (var connection in _connections.ToList())
        {
            connection.OnKilled(host);
        }

        _connections.RemoveAll(connection => connection.IsOver);
    }

    /// <summary>The connections from a host to another break.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Break(string from, string to)
    {
        var broken = _connections.Where(connection => !connection.IsOver && connection.Leads(from, to)).ToList();
        broken.ForEach(connection => connection.Break());
        _connections.RemoveAll(connection => connection.IsOver);
        return broken.Count > 0;
    }

    private void MoveAll()
    {
        _connections.RemoveAll(connection => connection.IsOver);
        foreach (var connection in _connections.ToList())
        {
            connection.Move();
        }
    }
}
