namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>A character that YAML (1.2, chapter 5.1) does not allow in a file.</summary>
internal sealed record TextDefect(Position At, string Message)
{
    /// <summary>The first such character; null without one.</summary>
    public static TextDefect? Find(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (!IsPrintable(text[i]))
            {
                return new TextDefect(
                    Position.AfterAll(text.AsSpan(0, i)),
                    $"the character U+{(int)text[i]:X4} is not allowed in a job file");
            }
        }

        return null;
    }

    private static bool IsPrintable(char c) =>
        c is '\t' or '\n' or '\r' or '\u0085'
            or (>= ' ' and <= '~') or (>= '\u00A0' and <= '\uD7FF') or (>= '\uE000' and <= '\uFFFD');
}
