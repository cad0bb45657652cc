using DistributedBackprop.Simulation.Clusters;

namespace DistributedBackprop.Simulation.Faults;

/// <summary>Does to a cluster what a scenario asks for, as the seed draws it; all that it does it heals.</summary>
internal sealed class FaultInjector
{
    private static readonly TimeSpan _slowWrite = TimeSpan.FromSeconds(5);
    // So many tries for each fault that is to take effect: where nothing can be done, or nobody feels it, there is an end.
    private const int TriesOfEach = 12;

    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(50);

    private readonly SimulatedCluster _cluster;
    private readonly Scenario _scenario;
    private readonly IJobActs _acts;
    private readonly KeyedGenerator _draws;
    private readonly List<Injection> _done = [];
    private readonly HashSet<FaultKind> _going = [];
    private readonly double _gaps;
    private readonly int _count;
    private int _tries;
    private int _unhealed;
    private Injection _now = new();

    /// <param name="cluster">To what.</param>
    /// <param name="scenario">What is to happen.</param>
    /// <param name="acts">What may be done to the jobs.</param>
    /// <param name="gaps">How long times between faults are, against what the scenario says.</param>
    public FaultInjector(SimulatedCluster cluster, Scenario scenario, IJobActs acts, double gaps = 1)
    {
        _cluster = cluster;
        _acts = acts;
        _scenario = scenario;
        _gaps = gaps;
        _draws = cluster.Loop.Generator("faults");
        _count = (int)_draws.Between(scenario.Least, scenario.Most);
        foreach (var (fault, rate) in scenario.Messages)
        {
            cluster.Weather.SetRate(fault, rate);
        }

        cluster.Weather.IsRough = _count > 0 || scenario.Messages.Values.Any(rate => rate > 0);
        cluster.Weather.Felt = (from, to) => _done.ForEach(fault => fault.OnFelt(from, to));
        cluster.Disk.Felt = what => _done.ForEach(fault => fault.OnFelt(what));
        cluster.Died = name => Heal(Duration(), () => cluster.Restart(name));
        Next();
    }

    /// <summary>What was done.</summary>
    public IEnumerable<InjectedFault> Done => _done.Select(fault => fault.Fault);

    /// <summary>How much of it took effect.</summary>
    public int Effective => _done.Count(fault => fault.TookEffect);

    /// <summary>Whether all is done and healed.</summary>
    public bool IsOver => IsDone && _unhealed == 0;

    private bool IsDone => _tries >= _count * TriesOfEach || Effective >= _count;

    /// <summary>Whether nothing of what was done is left to be healed.</summary>
    public bool IsIdle => _unhealed == 0;

    /// <summary>When the last of it was healed.</summary>
    public TimeSpan HealedAt { get; private set; }

    /// <summary>Whether all is done and healed, and so much time has gone by since.</summary>
    public bool IsLate(TimeSpan within) => IsOver && _cluster.Loop.Now > HealedAt + within;

    private void Next()
    {
        if (!IsDone)
        {
            _cluster.Loop.After(LogUniform(_scenario.ShortestGap, _scenario.LongestGap) * _gaps, () =>
            {
                // Where nothing can be done now, it is tried again.
                if (_acts.IsOver)
                {
                    return;
                }

                if (!IsDone)
                {
                    Inject();
                }

                Next();
            });
        }
        else
        {
            HealedAt = _cluster.Loop.Now;
            Calm();
        }
    }

    private void Calm() => _cluster.Weather.IsRough &= !IsOver || _count == 0;

    private void Inject()
    {
        _tries++;
        var weights = _scenario.Kinds.Where(kind => kind.Value > 0).ToList();
        var at = _draws.Fraction() * weights.Sum(kind => kind.Value);
        foreach (var (kind, weight) in weights)
        {
            at -= weight;
            if (at < 0)
            {
                var lasts = Duration();
                var fault = _now = new Injection();
                if (Try(kind, lasts) is { } what)
                {
                    fault.Is(new InjectedFault(_cluster.Loop.Now, kind, what, lasts, TookEffect: false), WasFelt(kind, what));
                    _done.Add(fault);
                }

                return;
            }
        }
    }

    private string? Try(FaultKind kind, TimeSpan lasts) => kind switch
    {
        FaultKind.LinkStalls => TwoHosts() is var (from, to)
            ? Way(lasts, from, to, () => _cluster.Weather.Stall(from, to), () => _cluster.Weather.EndStall(from, to)) : null,
        FaultKind.LinkSlow => TwoHosts() is var (from, to)
            ? Way(lasts, from, to, () => _cluster.Weather.Slow(from, to, 50), () => _cluster.Weather.Slow(from, to, 1)) : null,
        FaultKind.LinkBreaks => TwoHosts() is var (from, to) && _cluster.BreakLink(from, to) ? $"{from} → {to}" : null,
        FaultKind.Partition => Partition(lasts),
        FaultKind.OneWayPartition => TwoHosts() is var (from, to) ? Cut(lasts, from, to) : null,
        FaultKind.Swizzle => Swizzle(lasts),
        FaultKind.NodePauses => Worker() is { } name
            ? Freeze(lasts, name) : null,
        FaultKind.NodeCrashes => Kill(Worker()),
        FaultKind.NodeJoins => _cluster.Workers.Count < _scenario.MostNodes ? _cluster.Join() : null,
        FaultKind.NodeLeaves => _cluster.Workers.Count > 1 && Worker() is { } name ? Leave(name) : null,
        FaultKind.CoordinatorPauses => IsCoordinatorUp ? Freeze(lasts, _cluster.CoordinatorName) : null,
        FaultKind.CoordinatorCrashes => IsCoordinatorUp && _acts.MayEndCoordinator ? Kill(_cluster.CoordinatorName) : null,
        FaultKind.TwoCoordinators => IsCoordinatorUp && _acts.MayEndCoordinator && _cluster.Coordinators.Count == 1 ? TakeOver(lasts) : null,
        FaultKind.DiskSlow => Once(kind, lasts, () => _cluster.Disk.LongestWrite = _slowWrite, () => _cluster.Disk.LongestWrite = SimulatedDisk.UsualWrite),
        FaultKind.DiskFails => Once(kind, lasts, () => _cluster.Disk.Fails = true, () => _cluster.Disk.Fails = false),
        FaultKind.DiskAway => Once(kind, lasts, () => _cluster.Disk.IsAway = true, () => _cluster.Disk.IsAway = false),
        FaultKind.DiskLosesAnswers => Once(
            kind, lasts, () => _cluster.Disk.LosesAnswers = true, () => _cluster.Disk.LosesAnswers = false),
        FaultKind.DiskTears => Once(kind, lasts, () => _cluster.Disk.Tears = true, () => _cluster.Disk.Tears = false),
        FaultKind.DiskDamage => _cluster.Disk.Damage(_draws) ? "a piece of a state" : null,
        FaultKind.JobPauses => IsCoordinatorUp ? PauseJob(lasts) : null,
        FaultKind.JobCancels => _acts.Cancel(_draws),
        _ => null,
    };

    private bool IsCoordinatorUp => _cluster.IsRunning(_cluster.CoordinatorName);

    private string? Kill(string? name)
    {
        if (name is not null)
        {
            _cluster.Kill(name);
        }

        return name;
    }

    private string Leave(string name)
    {
        _cluster.Leave(name);
        return name;
    }

    private string Freeze(TimeSpan lasts, string name)
    {
        var fault = _now;
        return During(lasts, name, () => _cluster.Pause(name), () =>
        {
            fault.TookEffect |= _cluster.HasHeld(name);
            _cluster.Continue(name);
        });
    }

    // The one that there is keeps a few nodes or none, and its database; the others get a new one after a while.
    private string TakeOver(TimeSpan lasts)
    {
        var old = _cluster.CoordinatorName;
        var fault = _now;
        var side = _cluster.Workers.Where(_ => _draws.Chance(0.3)).Append(old).ToList();
        CutApart(lasts, side, [.. _cluster.Workers.Except(side)]);
        Later(lasts * (_draws.Fraction() * 0.8), () =>
        {
            if (!_acts.IsOver && _cluster.CoordinatorName == old && _acts.MayEndCoordinator)
            {
                fault.TookEffect = true;
                _now = fault;
                CutApart(lasts * _draws.Fraction(), side, [_cluster.TakeOver()]);
            }
        });
        return string.Join(", ", side);
    }

    private string Cut(TimeSpan lasts, string from, string to) => Way(
        lasts, from, to, () => _cluster.Weather.Cut(from, to), () => _cluster.Weather.Heal(from, to));

    private string Way(TimeSpan lasts, string from, string to, Action begin, Action end)
    {
        var fault = _now;
        fault.Ways.Add((from, to));
        return During(lasts, $"{from} → {to}", begin, () =>
        {
            end();
            fault.Ways.Remove((from, to));
        });
    }

    // Whether it took effect, where that does not show on a way or at the disk.
    private Func<bool>? WasFelt(FaultKind kind, string what) => kind switch
    {
        FaultKind.LinkBreaks or FaultKind.NodeCrashes or FaultKind.CoordinatorCrashes or FaultKind.NodeJoins or FaultKind.NodeLeaves
            or FaultKind.DiskDamage => () => true,
        FaultKind.JobCancels => () => _acts.IsCancelled(what),
        _ => null,
    };

    private static string? DiskProperty(FaultKind kind) => kind switch
    {
        FaultKind.DiskSlow => nameof(SimulatedDisk.LongestWrite),
        FaultKind.DiskFails => nameof(SimulatedDisk.Fails),
        FaultKind.DiskAway => nameof(SimulatedDisk.IsAway),
        FaultKind.DiskLosesAnswers => nameof(SimulatedDisk.LosesAnswers),
        FaultKind.DiskTears => nameof(SimulatedDisk.Tears),
        _ => null,
    };

    private string Partition(TimeSpan lasts)
    {
        var hosts = Hosts();
        var side = hosts.Where(_ => _draws.Chance(0.4)).ToList();
        var others = hosts.Except(side).ToList();
        CutApart(lasts, side, others);
        return $"{string.Join(", ", side)} | {string.Join(", ", others)}";
    }

    private void CutApart(TimeSpan lasts, List<string> side, List<string> others)
    {
        foreach (var a in side)
        {
            foreach (var b in others)
            {
                Cut(lasts, a, b);
                Cut(lasts, b, a);
            }
        }
    }

    private string? Swizzle(TimeSpan lasts)
    {
        var hosts = Hosts();
        if (hosts.Count < 2)
        {
            return null;
        }

        var fault = _now;
        var victim = hosts[_draws.Below(hosts.Count)];
        foreach (var other in hosts.Where(other => other != victim))
        {
            Later(lasts * _draws.Fraction() * 0.5, () =>
            {
                _now = fault;
                Cut(lasts * (0.2 + _draws.Fraction()), victim, other);
                Cut(lasts * (0.2 + _draws.Fraction()), other, victim);
            });
        }

        return victim;
    }

    private string? PauseJob(TimeSpan lasts)
    {
        var fault = _now;
        var job = _acts.Pause(_draws);
        if (job is not null)
        {
            Later(lasts, () => ResumeJob(job, fault));
        }

        return job;
    }

    private void ResumeJob(string job, Injection fault)
    {
        fault.TookEffect |= _acts.HeardOfPause(job);
        if (!_acts.Resume(job))
        {
            Later(_again, () => ResumeJob(job, fault));
        }
    }

    private string During(TimeSpan lasts, string what, Action begin, Action end)
    {
        begin();
        Heal(lasts, end);
        return what;
    }

    private string? Once(FaultKind kind, TimeSpan lasts, Action begin, Action end)
    {
        if (!_going.Add(kind))
        {
            return null;
        }

        var fault = _now;
        fault.Disk = DiskProperty(kind);
        return During(lasts, "", begin, () =>
        {
            end();
            fault.Disk = null;
            _going.Remove(kind);
        });
    }

    private void Heal(TimeSpan after, Action heal) => Later(after, heal);

    private void Later(TimeSpan after, Action action)
    {
        _unhealed++;
        _cluster.Loop.After(after, () =>
        {
            _unhealed--;
            action();
            HealedAt = _cluster.Loop.Now;
            Calm();
        });
    }

    private List<string> Hosts() => [.. _cluster.Workers, .. _cluster.Coordinators];

    private string? Worker()
    {
        var running = _cluster.Workers.Where(_cluster.IsRunning).ToList();
        return running.Count == 0 ? null : running[_draws.Below(running.Count)];
    }

    private (string From, string To)? TwoHosts()
    {
        var hosts = Hosts();
        if (hosts.Count < 2)
        {
            return null;
        }

        var from = _draws.Below(hosts.Count);
        var to = _draws.Below(hosts.Count - 1);
        return (hosts[from], hosts[to < from ? to : to + 1]);
    }

    private TimeSpan Duration() => LogUniform(_scenario.Shortest, _scenario.Longest);

    // Short ones come as often as long ones, whatever the scale. In whole microseconds: the same on every machine.
    private TimeSpan LogUniform(TimeSpan shortest, TimeSpan longest)
    {
        var decades = shortest;
        while (decades < longest && _draws.Chance(0.8))
        {
            decades *= 2;
        }

        return _draws.Between(shortest, decades < longest ? decades : longest);
    }
}
