namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>The words of a job file that stand for the values of an enumeration, one each.</summary>
internal sealed class Words<T>(params (string Word, T Value)[] entries)
    where T : struct, Enum
{
    private readonly string[] _all = [.. entries.Select(entry => entry.Word)];

    public IReadOnlyList<string> All => _all;

    /// <summary>The word of a value.</summary>
    public string Of(T value) => entries.First(entry => entry.Value.Equals(value)).Word;

    /// <summary>The value of a word; null when it is none of these.</summary>
    public T? Find(string word)
    {
        foreach (var entry in entries)
        {
            if (entry.Word == word)
            {
                return entry.Value;
            }
        }

        return null;
    }

    /// <summary>Reads a node that must be one of the words.</summary>
    public T? Read(JobNode node, string what, JobErrors errors)
    {
        if (node is ScalarNode scalar && Find(scalar.Text) is { } value)
        {
            return value;
        }

        Words.Unknown(node, what, _all, errors);
        return null;
    }
}

/// <summary>How errors speak of words.</summary>
internal static class Words
{
    public static string List(IEnumerable<string> words) => string.Join(", ", words);

    public static string OneOf(IReadOnlyCollection<string> words) =>
        words.Count == 1 ? words.First() : $"one of {List(words)}";

    public static void Unknown(JobNode node, string what, IReadOnlyCollection<string> allowed, JobErrors errors)
    {
        if (node is ScalarNode { Type: ScalarType.Text } scalar)
        {
            errors.Structure(
                node.At, $"{what} must be {OneOf(allowed)} (was {node.Shown}){Suggestion.For(scalar.Text, allowed)}");
        }
        else
        {
            errors.WrongType(node, what, OneOf(allowed));
        }
    }
}
