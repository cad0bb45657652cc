namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>
/// Reads paths of data files. They are relative to a data root that whoever runs the job chooses, so a path that leads
/// out of it is refused here already; links that lead out are refused where files are opened.
/// </summary>
internal static class DataPath
{
    public static string? Read(JobNode node, string what, JobErrors errors)
    {
        if (Scalars.Text(node, what, errors) is not { } path)
        {
            return null;
        }

        if (Defect(path) is not { } defect)
        {
            return path;
        }

        errors.Value(node.At, $"{what} must be a path below the data root{defect} (was {node.Shown})");
        return null;
    }

    private static string? Defect(string path)
    {
        if (path.Any(char.IsControl) || HasLoneSurrogate(path))
        {
            return ", without control characters";
        }

        if (path.Contains('\\'))
        {
            return ", with / between folders";
        }

        // `C:data` means a drive on Windows: the same job is to mean the same everywhere.
        if (path.StartsWith('/') || (path.Length > 1 && char.IsAsciiLetter(path[0]) && path[1] == ':'))
        {
            return ", not an absolute one";
        }

        var depth = 0;
        var segments = path.Split('/');
        foreach (var segment in segments)
        {
            depth += segment switch { "" or "." => 0, ".." => -1, _ => 1 };
            if (depth < 0)
            {
                return ", not climb out of it by '..'";
            }
        }

        return depth == 0 || segments[^1] is "" or "." or ".." ? " that names a file" : null;
    }

    private static bool HasLoneSurrogate(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            // EnumerateRunes gives U+FFFD for half a pair; a file that itself says U+FFFD is as suspicious.
            if (rune == System.Text.Rune.ReplacementChar)
            {
                return true;
            }
        }

        return false;
    }
}
