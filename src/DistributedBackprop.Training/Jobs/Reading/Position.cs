namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>A place in a job file: line and column, both from 1.</summary>
internal readonly record struct Position(int Line, int Column) : IComparable<Position>
{
    public static Position Start => new(1, 1);

    public int CompareTo(Position other) =>
        Line != other.Line ? Line.CompareTo(other.Line) : Column.CompareTo(other.Column);

    /// <summary>The place that follows all of <paramref name="text"/>.</summary>
    public static Position AfterAll(ReadOnlySpan<char> text)
    {
        var line = 1;
        var lineStart = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')))
            {
                line++;
                lineStart = i + 1;
            }
        }

        return new Position(line, text.Length - lineStart + 1);
    }
}
