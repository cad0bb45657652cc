namespace DistributedBackprop.Simulation.Faults;

/// <summary>A fault while it lasts, and whether anybody has felt it.</summary>
internal sealed class Injection
{
    private InjectedFault? _fault;
    private Func<bool>? _wasFelt;
    private bool _tookEffect;

    public List<(string From, string To)> Ways { get; } = [];

    public string? Disk { get; set; }

    public bool TookEffect
    {
        get => _tookEffect || _wasFelt?.Invoke() == true;
        set => _tookEffect = value;
    }

    public InjectedFault Fault => _fault! with { TookEffect = TookEffect };

    public void Is(InjectedFault fault, Func<bool>? wasFelt) => (_fault, _wasFelt) = (fault, wasFelt);

    public void OnFelt(string from, string to) => _tookEffect |= Ways.Contains((from, to));

    public void OnFelt(string disk) => _tookEffect |= Disk == disk;
}
