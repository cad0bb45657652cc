namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Guesses which word was meant, by edit distance (Levenshtein 1966, with swapped neighbours as one edit).</summary>
internal static class Suggestion
{
    // Beyond these a guess costs more than it helps, and a hostile file could make it cost much.
    private const int MaxLength = 40;
    private const int MaxCandidates = 200;

    /// <summary>The end of an error message: <c>; did you mean 'units'?</c>, or nothing when no word is near.</summary>
    public static string For(string word, IReadOnlyCollection<string> candidates) =>
        Nearest(word, candidates) is { } nearest ? $"; did you mean '{nearest}'?" : "";

    /// <summary>The candidate nearest to <paramref name="word"/>, the first of equals; null when none is near.</summary>
    public static string? Nearest(string word, IReadOnlyCollection<string> candidates)
    {
        if (word.Length is 0 or > MaxLength || candidates.Count > MaxCandidates)
        {
            return null;
        }

        string? nearest = null;
        var least = 1 + Math.Max(1, word.Length / 3);
        foreach (var candidate in candidates)
        {
            // A word of which nothing would be left is no guess.
            var distance = candidate.Length <= MaxLength ? Distance(word, candidate) : int.MaxValue;
            if (distance < least && distance < candidate.Length)
            {
                (nearest, least) = (candidate, distance);
            }
        }

        return nearest;
    }

    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                rows[i, j] = i == 0 ? j : j == 0 ? i : Math.Min(
                    Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1,
                    rows[i - 1, j - 1] + (Same(a[i - 1], b[j - 1]) ? 0 : 1));
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
