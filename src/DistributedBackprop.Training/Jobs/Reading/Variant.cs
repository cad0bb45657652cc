namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>A mapping whose one key says what it is, and whose value holds the options: <c>{ sgd: { … } }</c>.</summary>
/// <param name="Word">The key.</param>
/// <param name="At">Where the key is.</param>
/// <param name="Options">Its value.</param>
internal sealed record Variant(string Word, Position At, JobNode Options)
{
    /// <summary>Reads a variant; null when there is none, which is reported by then.</summary>
    /// <param name="node">The mapping.</param>
    /// <param name="what">How errors call it.</param>
    /// <param name="errors">Takes what is wrong.</param>
    /// <param name="kinds">The keys that say what it is.</param>
    /// <param name="later">Those that are to come.</param>
    public static Variant? Read(JobNode node, string what, JobErrors errors, string[] kinds, params string[] later)
    {
        if (node is not MappingNode mapping)
        {
            errors.WrongType(node, what, $"a mapping with {Words.OneOf(kinds)}");
            return null;
        }

        Variant? found = null;
        foreach (var entry in mapping.Entries)
        {
            if (later.Contains(entry.Key))
            {
                errors.Structure(entry.KeyAt, $"{entry.Key} is not supported yet");
            }
            else if (!kinds.Contains(entry.Key))
            {
                errors.Structure(
                    entry.KeyAt,
                    $"unknown key '{ScalarNode.Clean(entry.Key)}' in {what} (allowed: {Words.OneOf(kinds)})"
                    + Suggestion.For(entry.Key, kinds));
            }
            else if (found is not null)
            {
                errors.Structure(entry.KeyAt, $"{what} must be only one of {found.Word} and {entry.Key}");
            }
            else
            {
                found = new Variant(entry.Key, entry.KeyAt, entry.Value);
            }
        }

        if (mapping.Entries.IsEmpty)
        {
            errors.Structure(node.At, $"{what} needs {Words.OneOf(kinds)}");
        }

        return found;
    }
}
