using System.CommandLine;

namespace DistributedBackprop.Cli;

/// <summary>What is wrong with a command line, in words for people.</summary>
internal static class UsageErrors
{
    /// <summary>One line for each error, and where help is.</summary>
    public static IEnumerable<string> Of(ParseResult parsed, RootCommand root)
    {
        var isKnown = parsed.CommandResult.Command != root;
        if (parsed.UnmatchedTokens is [var unmatched, ..])
        {
            // Only the first: those after it are usually its values.
            yield return isKnown
                ? $"backprop: unknown option or argument '{unmatched}'"
                : $"backprop: unknown command '{unmatched}' (allowed: {string.Join(", ", root.Subcommands.Select(command => command.Name))})";
        }
        else
        {
            foreach (var error in parsed.Errors)
            {
                yield return $"backprop: {error.Message}";
            }
        }

        yield return $"Try 'backprop {(isKnown ? $"{parsed.CommandResult.Command.Name} " : "")}--help'.";
    }
}
