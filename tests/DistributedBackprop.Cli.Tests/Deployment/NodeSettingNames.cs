using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>The settings of <c>backprop node</c> as variables of the environment: a misspelt one would be ignored.</summary>
internal static class NodeSettingNames
{
    // What has no flag of that name: secrets, what commands read, and deadlines, whose unit a flag leaves out.
    private static readonly string[] _others = ["BACKPROP__SECRET", "BACKPROP__TOKEN", "BACKPROP__ADDRESS", "BACKPROP__JOINDEADLINESECONDS", "BACKPROP__LEAVEDEADLINESECONDS"];

    public static async Task<IReadOnlyList<string>> ReadAsync()
    {
        using var folder = new CommandFolder();
        var help = await folder.RunAsync("node", "--help");
        var names = Regex.Matches(help.Output, @"^  (?:-\S+, )*--([a-z-]+)", RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value)
            .Select(flag => flag.StartsWith("tls-", StringComparison.Ordinal) ? $"tls__{flag[4..]}" : flag)
            .Select(flag => $"BACKPROP__{flag.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant()}")
            .ToList();
        names.ShouldContain("BACKPROP__TLS__AUTHORITY", help.Output);
        return [.. names, .. _others];
    }
}
