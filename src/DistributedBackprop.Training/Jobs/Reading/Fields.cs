namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>
/// One mapping of the job file, read key by key. A method returns null when what it read is wrong, and it is reported by then;
/// where there is a fallback, an absent key gives the fallback.
/// </summary>
internal sealed class Fields
{
    private readonly MappingNode _mapping;
    private readonly string _what;
    private readonly JobErrors _errors;

    private Fields(MappingNode mapping, string what, JobErrors errors) =>
        (_mapping, _what, _errors) = (mapping, what, errors);

    /// <summary>Where the mapping begins.</summary>
    public Position At => _mapping.At;

    /// <summary>Reports keys that are not known, or not supported yet.</summary>
    /// <param name="node">What should be a mapping; otherwise null is returned.</param>
    /// <param name="what">How errors call it.</param>
    /// <param name="errors">Takes what is wrong.</param>
    /// <param name="keys">All keys it may have.</param>
    /// <param name="later">Keys that are to come.</param>
    public static Fields? Of(
        JobNode? node, string what, JobErrors errors, string[] keys, params string[] later)
    {
        if (node is not MappingNode mapping)
        {
            if (node is not null)
            {
                errors.WrongType(node, what, keys.Length == 0 ? "{}: it has no options" : $"a mapping with {Words.List(keys)}");
            }

            return null;
        }

        foreach (var entry in mapping.Entries)
        {
            if (later.Contains(entry.Key))
            {
                errors.Structure(entry.KeyAt, $"{entry.Key} is not supported yet");
            }
            else if (!keys.Contains(entry.Key))
            {
                var allowed = keys.Length == 0 ? "it has no options" : $"allowed: {Words.List(keys)}";
                errors.Structure(
                    entry.KeyAt,
                    $"unknown key '{ScalarNode.Clean(entry.Key)}' in {what} ({allowed}){Suggestion.For(entry.Key, keys)}");
            }
        }

        return new Fields(mapping, what, errors);
    }

    /// <summary>The value of a key; null when it is absent.</summary>
    public JobNode? Find(string key) => _mapping.Find(key)?.Value;

    /// <summary>Where a key's value is, or the mapping without it.</summary>
    public Position PlaceOf(string key) => Find(key)?.At ?? At;

    /// <summary>The value of a key, whose absence is an error.</summary>
    public JobNode? Required(string key)
    {
        var value = Find(key);
        if (value is null)
        {
            _errors.Structure(At, $"{_what} needs {key}");
        }

        return value;
    }

    /// <summary>An integer that must be there.</summary>
    public long? Integer(string key, long min, long max) =>
        Required(key) is { } node ? Scalars.Integer(node, key, min, max, _errors) : null;

    /// <summary>An integer, or <paramref name="fallback"/>.</summary>
    public long? IntegerOr(long fallback, string key, long min, long max) =>
        Find(key) is { } node ? Scalars.Integer(node, key, min, max, _errors) : fallback;

    /// <summary>A number that must be there.</summary>
    public double? Number(string key, NumberRange range) =>
        Required(key) is { } node ? Scalars.Number(node, key, range, _errors) : null;

    /// <summary>A number, or <paramref name="fallback"/>.</summary>
    public double? NumberOr(double fallback, string key, NumberRange range) =>
        Find(key) is { } node ? Scalars.Number(node, key, range, _errors) : fallback;

    /// <summary>True or false, or <paramref name="fallback"/>.</summary>
    public bool? FlagOr(bool fallback, string key) =>
        Find(key) is { } node ? Scalars.Flag(node, key, _errors) : fallback;
}
