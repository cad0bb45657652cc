namespace DistributedBackprop.Simulation.Clusters;

/// <summary>The state of the network between hosts: which ways are cut or slow, and how often messages go astray.</summary>
public sealed class Weather
{
    private static readonly TimeSpan _latest = TimeSpan.FromSeconds(2);

    private readonly Dictionary<MessageFault, double> _rates = [];
    private readonly long[] _happened = new long[Enum.GetValues<MessageFault>().Length];
    private readonly Dictionary<(string From, string To), int> _cuts = [];
    private readonly Dictionary<(string From, string To), int> _stalls = [];
    private readonly Dictionary<(string From, string To), double> _slow = [];

    /// <summary>The shortest time from host to host. Default: 50 µs.</summary>
    public TimeSpan ShortestLatency { get; init; } = TimeSpan.FromMicroseconds(50);

    /// <summary>The longest time from host to host in fair weather. Default: 500 µs.</summary>
    public TimeSpan LongestLatency { get; init; } = TimeSpan.FromMicroseconds(500);

    /// <summary>Payload bytes a second of a link that is not slow. Default: 1 GB/s.</summary>
    public double BytesPerSecond { get; init; } = 1e9;

    /// <summary>Whether messages go astray at all at present.</summary>
    public bool IsRough { get; set; }

    /// <summary>Called when a way is opened again, with its ends.</summary>
    internal event Action? Cleared;

    /// <summary>Called when something is held up or lost on a way because it is cut, stands, or is slow.</summary>
    internal Action<string, string>? Felt { get; set; }

    /// <summary>How often messages go astray in rough weather: 0 … 1.</summary>
    public void SetRate(MessageFault fault, double rate) => _rates[fault] = rate;

    /// <summary>How often it has happened.</summary>
    public long CountOf(MessageFault fault) => _happened[(int)fault];

    /// <summary>Nothing goes from one host to the other. Cuts add up: each is healed by one <see cref="Heal"/>.</summary>
    public void Cut(string from, string to) => Add(_cuts, from, to, 1);

    /// <summary>Heals one cut.</summary>
    public void Heal(string from, string to) => Add(_cuts, from, to, -1);

    /// <summary>Tensors from one host to the other stand still; messages go.</summary>
    public void Stall(string from, string to) => Add(_stalls, from, to, 1);

    /// <summary>Ends one stall.</summary>
    public void EndStall(string from, string to) => Add(_stalls, from, to, -1);

    /// <summary>Tensors from one host to the other take so many times as long; 1 ends it.</summary>
    public void Slow(string from, string to, double times) => _slow[(from, to)] = times;

    /// <summary>Whether nothing goes from one host to the other.</summary>
    public bool IsCut(string from, string to) => _cuts.GetValueOrDefault((from, to)) > 0;

    /// <summary>Whether tensors stand still.</summary>
    internal bool Stands(string from, string to) => IsFelt(from, to, IsCut(from, to) || _stalls.GetValueOrDefault((from, to)) > 0);

    /// <summary>Whether what is sent now is lost.</summary>
    internal bool Loses(string from, string to) => IsFelt(from, to, IsCut(from, to));

    /// <summary>Whether both ways are open.</summary>
    internal bool IsOpen(string a, string b) => !Loses(a, b) && !Loses(b, a);

    /// <summary>How long a message takes now.</summary>
    internal TimeSpan Latency(KeyedGenerator draws) => draws.Between(ShortestLatency, LongestLatency);

    /// <summary>How long a tensor takes now.</summary>
    internal TimeSpan TimeOf(string from, string to, int bytes, KeyedGenerator draws)
    {
        var times = _slow.GetValueOrDefault((from, to), 1);
        IsFelt(from, to, times > 1);
        return (Latency(draws) + TimeSpan.FromSeconds(bytes / BytesPerSecond)) * times;
    }

    /// <summary>How late a late message is.</summary>
    internal TimeSpan Lateness(KeyedGenerator draws) => draws.Between(LongestLatency, _latest);

    /// <summary>Whether it happens to this message.</summary>
    internal bool Happens(MessageFault fault, KeyedGenerator draws)
    {
        // Drawn in any weather: what happens later does not shift what was drawn before.
        var happens = draws.Chance(_rates.GetValueOrDefault(fault)) && IsRough;
        _happened[(int)fault] += happens ? 1 : 0;
        return happens;
    }

    private bool IsFelt(string from, string to, bool isHeldUp)
    {
        if (isHeldUp)
        {
            Felt?.Invoke(from, to);
        }

        return isHeldUp;
    }

    private void Add(Dictionary<(string From, string To), int> ways, string from, string to, int count)
    {
        ways[(from, to)] = Math.Max(0, ways.GetValueOrDefault((from, to)) + count);
        Cleared?.Invoke();
    }
}
