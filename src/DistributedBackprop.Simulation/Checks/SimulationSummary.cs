using System.Security.Cryptography;
using System.Text;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>What many seeds came to.</summary>
public sealed class SimulationSummary
{
    private readonly SortedDictionary<FaultKind, long> _faults = [];
    private readonly SortedDictionary<MessageFault, long> _messages = [];

    /// <summary>Seeds that were run.</summary>
    public int Seeds { get; private set; }

    /// <summary>Seeds whose run is not as it must be.</summary>
    public int Mismatches { get; private set; }

    /// <summary>The fewest faults of a run that somebody has felt.</summary>
    public int FewestFaults { get; private set; }

    /// <summary>In which run that was.</summary>
    public ulong FewestSeed { get; private set; }

    /// <summary>Runs that went on when all faults were over, and so had to end within the scenario's time.</summary>
    public int Calm { get; private set; }

    /// <summary>What was done to clusters and felt by somebody, by kind.</summary>
    public IReadOnlyDictionary<FaultKind, long> Faults => _faults;

    /// <summary>Control messages that went astray, by kind.</summary>
    public IReadOnlyDictionary<MessageFault, long> MessageFaults => _messages;

    /// <summary>All that was done to clusters and messages.</summary>
    public long FaultCount => _faults.Values.Sum() + _messages.Values.Sum();

    /// <summary>Messages that actors have handled.</summary>
    public long Messages { get; private set; }

    /// <summary>How long all runs took, in virtual time.</summary>
    public TimeSpan VirtualTime { get; private set; }

    /// <summary>The slowest recovery of all.</summary>
    public TimeSpan SlowestRecovery { get; private set; }

    /// <summary>In which run that was.</summary>
    public ulong SlowestSeed { get; private set; }

    /// <summary>Of all that happened in all runs: where it is the same, they did the same.</summary>
    public string TraceSha256 { get; private set; } = "";

    /// <summary>Adds a run.</summary>
    public void Add(SimulatedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (Seeds == 0 || run.Effective < FewestFaults)
        {
            (FewestFaults, FewestSeed) = (run.Effective, run.Seed);
        }

        Seeds++;
        Calm += run.WasCalm ? 1 : 0;
        Mismatches += run.IsRight ? 0 : 1;
        Messages += run.Messages;
        VirtualTime += run.VirtualTime;
        TraceSha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(TraceSha256 + run.TraceHash)));
        foreach (var fault in run.Faults.Where(fault => fault.TookEffect))
        {
            _faults[fault.Kind] = _faults.GetValueOrDefault(fault.Kind) + 1;
        }

        foreach (var (fault, count) in run.MessageFaults.Where(fault => fault.Value > 0))
        {
            _messages[fault] = _messages.GetValueOrDefault(fault) + count;
        }

        if (run.SlowestRecovery > SlowestRecovery)
        {
            (SlowestRecovery, SlowestSeed) = (run.SlowestRecovery, run.Seed);
        }
    }
}
