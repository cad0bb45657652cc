using System.Collections.Immutable;

namespace DistributedBackprop.Server.Jobs;

/// <summary>The folders below which the files of jobs lie, by their names: a job names one, never a path.</summary>
public sealed class DataRoots
{
    /// <summary>The name of the root of jobs that name none.</summary>
    public const string Default = "default";

    /// <summary>What a name may be, for people.</summary>
    public const string AllowedNames = "1 to 64 letters, digits, '-' and '_'";

    private readonly ImmutableDictionary<string, string> _folders;

    /// <summary>Takes the folders by their names.</summary>
    /// <param name="folders">Existing folders; one is named <see cref="Default"/>.</param>
    public DataRoots(ImmutableDictionary<string, string> folders) => _folders = folders;

    /// <summary>One folder, for jobs that name none.</summary>
    public static DataRoots Of(string folder) => new(ImmutableDictionary<string, string>.Empty.Add(Default, folder));

    /// <summary>The names, in order.</summary>
    public IEnumerable<string> Names => _folders.Keys.Order(StringComparer.Ordinal);

    /// <summary>Whether this may be a name.</summary>
    public static bool IsName(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length is >= 1 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
    }

    /// <summary>The folder of a name; null where there is none.</summary>
    public string? Find(string name) => _folders.GetValueOrDefault(name);
}
