using System.Collections.Immutable;
using System.Text.Json;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Reading;

namespace DistributedBackprop.Simulation.Faults;

/// <summary>Reads scenarios: YAML or JSON, checked as job files are. What is not said is as in <see cref="Scenario.Default"/>.</summary>
/// <remarks>
/// <code>
/// faults: { least: 10, most: 16 }                     # in one run
/// gap: { shortest: 0.002, longest: 0.1 }              # seconds from one fault to the next
/// duration: { shortest: 0.005, longest: 20 }          # seconds that something lasts
/// mostNodes: 6
/// withinSeconds: 600                                  # the job is over so soon after the last fault
/// kinds: { nodeCrashes: 4, partition: 1 }             # how often in relation to each other; others never
/// messages: { lost: 0.01, doubled: 0.02, late: 0.01, outOfOrder: 0.02 }
/// </code>
/// </remarks>
public static class ScenarioFile
{
    private const int MostFaults = 10_000;
    private const int MostNodes = 64;

    /// <summary>Reads a scenario from text.</summary>
    /// <param name="fileName">How errors call the file.</param>
    /// <param name="text">YAML or JSON.</param>
    /// <param name="errors">All that is wrong, in the order of the file.</param>
    /// <returns>The scenario; null where anything is wrong.</returns>
    public static Scenario? Parse(string fileName, string text, out ImmutableArray<JobError> errors)
    {
        var found = new JobErrors(fileName);
        var scenario = JobTree.Read(text, found) is { } root ? Read(root, found) : null;
        errors = found.Sorted();
        return found.None ? scenario : null;
    }

    private static Scenario? Read(JobNode root, JobErrors errors)
    {
        if (Fields.Of(
            root,
            "a scenario",
            errors,
            ["faults", "gap", "duration", "mostNodes", "withinSeconds", "kinds", "messages"]) is not { } fields)
        {
            return null;
        }

        var known = Scenario.Default;
        var (least, most) = Pair(fields.Find("faults"), "faults", "least", "most", known.Least, known.Most, errors);
        var gap = Times(fields.Find("gap"), "gap", known.ShortestGap, known.LongestGap, errors);
        var duration = Times(fields.Find("duration"), "duration", known.Shortest, known.Longest, errors);
        return new Scenario
        {
            Least = least,
            Most = most,
            ShortestGap = gap.Shortest,
            LongestGap = gap.Longest,
            Shortest = duration.Shortest,
            Longest = duration.Longest,
            MostNodes = (int)(fields.IntegerOr(known.MostNodes, "mostNodes", 1, MostNodes) ?? known.MostNodes),
            Within = TimeSpan.FromSeconds(
                fields.NumberOr(known.Within.TotalSeconds, "withinSeconds", NumberRange.AboveUpTo(0, 1e6)) ?? 1),
            Kinds = Rates(fields.Find("kinds"), "kinds", known.Kinds, NumberRange.NotNegative, errors),
            Messages = Rates(fields.Find("messages"), "messages", known.Messages, NumberRange.FromTo(0, 1), errors),
        };
    }

    private static (int Least, int Most) Pair(
        JobNode? node, string what, string low, string high, int least, int most, JobErrors errors)
    {
        if (node is null || Fields.Of(node, what, errors, [low, high]) is not { } fields)
        {
            return (least, most);
        }

        var from = fields.IntegerOr(Math.Min(least, most), low, 0, MostFaults) ?? 0;
        var to = fields.IntegerOr(Math.Max(from, most), high, 0, MostFaults) ?? from;
        if (to < from)
        {
            errors.Value(fields.PlaceOf(high), $"{what}.{high} must be at least {what}.{low} (was {to}, and {low} {from})");
        }

        return ((int)from, (int)to);
    }

    private static (TimeSpan Shortest, TimeSpan Longest) Times(
        JobNode? node, string what, TimeSpan shortest, TimeSpan longest, JobErrors errors)
    {
        if (node is null || Fields.Of(node, what, errors, ["shortest", "longest"]) is not { } fields)
        {
            return (shortest, longest);
        }

        var range = NumberRange.AboveUpTo(0, 1e6);
        var from = fields.NumberOr(shortest.TotalSeconds, "shortest", range) ?? 0;
        var to = fields.NumberOr(Math.Max(from, longest.TotalSeconds), "longest", range) ?? from;
        if (to < from)
        {
            errors.Value(fields.PlaceOf("longest"), FormattableString.Invariant(
                $"{what}.longest must be at least {what}.shortest (was {to}, and shortest {from})"));
        }

        return (TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(to));
    }

    private static ImmutableSortedDictionary<T, double> Rates<T>(
        JobNode? node, string what, ImmutableSortedDictionary<T, double> known, NumberRange range, JobErrors errors)
        where T : struct, Enum
    {
        var names = Enum.GetValues<T>().ToDictionary(value => JsonNamingPolicy.CamelCase.ConvertName(value.ToString()));
        if (node is null || Fields.Of(node, what, errors, [.. names.Keys]) is not { } fields)
        {
            return known;
        }

        return names
            .Where(name => fields.Find(name.Key) is not null)
            .ToImmutableSortedDictionary(name => name.Value, name => fields.Number(name.Key, range) ?? 0);
    }
}
