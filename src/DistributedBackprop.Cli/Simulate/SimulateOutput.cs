using System.Globalization;
using System.Text.Json;
using DistributedBackprop.Simulation.Checks;

namespace DistributedBackprop.Cli.Simulate;

/// <summary>How it goes to standard error, what it came to to standard output.</summary>
/// <param name="options">What the command was told.</param>
internal sealed class SimulateOutput(SimulateOptions options)
{
    // As often as one wants to look.
    private const int Every = 50;

    /// <summary>A run is over.</summary>
    public void Tell(SimulatedRun run, SimulationSummary summary)
    {
        if (!run.IsRight)
        {
            foreach (var problem in run.Problems)
            {
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {run.Seed}: {problem}"));
            }

            Console.Error.WriteLine($"seed {run.Seed} again: {Replay(run.Seed)}");
            if (options.Json)
            {
                Console.WriteLine(EventOf(
                    ("event", "mismatch"), ("seed", run.Seed), ("problems", run.Problems), ("replay", Replay(run.Seed))));
            }
        }

        if (summary.Seeds % Every == 0)
        {
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{summary.Seeds} of {options.Seeds} seeds, {summary.FaultCount} faults, {summary.Mismatches} mismatches"));
        }
    }

    /// <summary>All runs are over.</summary>
    public void Tell(SimulationSummary summary, string weights)
    {
        var byKind = summary.Faults.Select(fault => (Name: Name(fault.Key), fault.Value))
            .Concat(summary.MessageFaults.Select(fault => (Name: $"messages{fault.Key}", fault.Value)))
            .ToDictionary(fault => fault.Name, fault => fault.Value);
        if (options.Json)
        {
            Console.WriteLine(EventOf(
                ("event", "simulated"),
                ("seeds", summary.Seeds),
                ("mismatches", summary.Mismatches),
                ("faults", summary.FaultCount),
                ("messages", summary.Messages),
                ("virtualSeconds", summary.VirtualTime.TotalSeconds),
                ("weightsSha256", weights),
                ("faultsByKind", byKind),
                ("fewestFaults", summary.FewestFaults),
                ("fewestFaultsSeed", summary.FewestSeed),
                ("afterLastFault", summary.Calm),
                ("slowestRecoverySeconds", summary.SlowestRecovery.TotalSeconds),
                ("slowestRecoverySeed", summary.SlowestSeed),
                ("traceSha256", summary.TraceSha256)));
            return;
        }

        Line("seeds", $"{summary.Seeds}");
        Line("mismatches", $"{summary.Mismatches}");
        Line("faults", $"{summary.FaultCount}");
        foreach (var (kind, count) in byKind)
        {
            Line($"  {kind}", $"{count}");
        }

        Line("fewest in a run", $"{summary.FewestFaults} (seed {summary.FewestSeed})");
        Line("runs after last fault", $"{summary.Calm}");
        Line("messages", $"{summary.Messages}");
        Line("virtual time", $"{summary.VirtualTime.TotalSeconds:F1} s");
        Line("slowest recovery", $"{summary.SlowestRecovery.TotalSeconds:F3} s (seed {summary.SlowestSeed})");
        Line("trace sha256", $"{summary.TraceSha256}");
        Line("weights sha256", $"{weights}");
    }

    private string Replay(ulong seed) => string.Join(' ', new[]
    {
        "backprop simulate",
        options.JobPath,
        options.DataRoot is null ? null : $"--data-root {options.DataRoot}",
        options.Jobs == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"--jobs {options.Jobs}"),
        string.Create(CultureInfo.InvariantCulture, $"--nodes {options.Nodes} --faults {options.Faults} --seed {seed} --seeds 1"),
    }.Where(part => part is not null));

    private static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static void Line(string what, FormattableString value) =>
        Console.WriteLine($"{what,-26}{value.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>An event to standard output.</summary>
    internal static string EventOf(params (string Name, object Value)[] fields) =>
        JsonSerializer.Serialize(fields.ToDictionary(field => field.Name, field => field.Value));
}
