using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>One node of a job file's tree, and where it begins.</summary>
internal abstract record JobNode(Position At)
{
    /// <summary>The node as an error shows it, cut to a length that fits a line.</summary>
    public abstract string Shown { get; }
}

/// <summary>A single value.</summary>
/// <param name="At">Where it begins.</param>
/// <param name="Text">Its characters, escapes resolved.</param>
/// <param name="IsQuoted">Whether it is text whatever it looks like.</param>
internal sealed record ScalarNode(Position At, string Text, bool IsQuoted) : JobNode(At)
{
    public ScalarType Type => IsQuoted ? ScalarType.Text : ScalarTypes.Of(Text);

    public override string Shown => Type switch
    {
        ScalarType.Empty => "empty",
        ScalarType.Text => $"'{Clean(Text)}'",
        _ => Clean(Text),
    };

    /// <summary>Text made fit for one line of an error: no control characters, not too long.</summary>
    public static string Clean(string text)
    {
        const int MaxShown = 60;
        var cut = text.Length <= MaxShown ? text : text[..(MaxShown - 1)] + "…";
        return string.Create(cut.Length, cut, static (span, from) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(from[i]) || char.IsSurrogate(from[i]) ? '?' : from[i];
            }
        });
    }
}

/// <summary>A list.</summary>
internal sealed record SequenceNode(Position At, ImmutableArray<JobNode> Items) : JobNode(At)
{
    public override string Shown => Items.IsEmpty ? "an empty list" : "a list";
}

/// <summary>Keys with values, each key once, in the order of the file.</summary>
internal sealed record MappingNode(Position At, ImmutableArray<MappingEntry> Entries) : JobNode(At)
{
    public override string Shown => Entries.IsEmpty ? "an empty mapping" : "a mapping";

    public MappingEntry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key);
}

/// <summary>One key of a mapping with its value.</summary>
internal sealed record MappingEntry(string Key, Position KeyAt, JobNode Value);

/// <summary>What an error was reported for already: no reader complains about it again.</summary>
internal sealed record BrokenNode(Position At) : JobNode(At)
{
    public override string Shown => "unreadable";
}
