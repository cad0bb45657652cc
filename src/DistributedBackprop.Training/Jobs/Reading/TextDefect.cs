using System.Buffers;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>
/// A character that YAML (1.2, chapter 5.1) does not allow in a file, or a word so long that it can be nothing: the parser takes
/// its time for each character of it.
/// </summary>
internal sealed record TextDefect(Position At, string Message)
{
    /// <summary>How long a word may be: longer than any path or number.</summary>
    public const int LongestWord = 4096;

    /// <summary>The first such place; null without one.</summary>
    public static TextDefect? Find(string text)
    {
        var word = 0;
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

            if (Between.Contains(text[i]))
            {
                word = i + 1;
            }
            else if (i - word >= LongestWord)
            {
                return new TextDefect(
                    Position.AfterAll(text.AsSpan(0, word)), $"no word in a job file is longer than {LongestWord} characters");
            }
        }

        return null;
    }

    private static SearchValues<char> Between { get; } = SearchValues.Create(" \t\r\n,:[]{}\"'");

    private static bool IsPrintable(char c) =>
        c is '\t' or '\n' or '\r' or '\u0085'
            or (>= ' ' and <= '~') or (>= '\u00A0' and <= '\uD7FF') or (>= '\uE000' and <= '\uFFFD');
}
