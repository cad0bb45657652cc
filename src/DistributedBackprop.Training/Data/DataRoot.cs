namespace DistributedBackprop.Training.Data;

/// <summary>
/// The folder below which a job's files must lie. A job may come from somebody else: a path or a link that leads out of
/// the folder is refused.
/// </summary>
public sealed class DataRoot
{
    // As many as Linux follows.
    private const int LinksMax = 40;

    private readonly string _written;
    private readonly string _canonical;

    /// <summary>Names the folder.</summary>
    /// <param name="path">An existing folder; a relative path counts from the current one. It may be a link itself.</param>
    /// <exception cref="DataException">There is no such folder.</exception>
    public DataRoot(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _written = Path.GetFullPath(path);
        if (!Directory.Exists(_written))
        {
            throw new DataException(_written, "the data root is no folder", "an existing folder") { IsNotFound = true };
        }

        _canonical = Canonical(_written, _written);
    }

    /// <summary>Finds a file below the root.</summary>
    /// <param name="relative">The path as the job says it.</param>
    /// <returns>The file's canonical path: absolute, with no links left in it.</returns>
    /// <exception cref="DataException">The path is not relative, leads out, or there is no such file.</exception>
    public string Resolve(string relative)
    {
        ArgumentNullException.ThrowIfNull(relative);
        if (relative.Length == 0 || relative.Contains('\0') || Path.IsPathRooted(relative))
        {
            throw new DataException(relative.Replace('\0', '?'), "is no relative path", $"a path below {_written}");
        }

        var path = Path.GetFullPath(Path.Combine(_written, relative));
        RefuseOutside(path, _written, relative);
        var canonical = Canonical(path, relative);
        RefuseOutside(canonical, _canonical, relative);
        if (Directory.Exists(canonical))
        {
            throw new DataException(relative, $"{path} is a folder", "a file");
        }

        return File.Exists(canonical)
            ? canonical
            : throw new DataException(relative, $"there is no file {path}", "a path relative to the data root") { IsNotFound = true };
    }

    private void RefuseOutside(string path, string root, string relative)
    {
        var prefix = Path.EndsInDirectorySeparator(root) ? root : root + Path.DirectorySeparatorChar;
        if (!path.StartsWith(prefix, StringComparison.Ordinal))
        {
            throw new DataException(relative, $"leads out of the data root, to {path}", $"a path below {_written}");
        }
    }

    // Component by component, since any folder on the way may be a link; what does not exist stays as it is.
    private static string Canonical(string path, string written)
    {
        var done = Path.GetPathRoot(path)!;
        var left = new Stack<string>(Components(path[done.Length..]));
        var links = 0;
        while (left.TryPop(out var name))
        {
            var next = Path.GetFullPath(Path.Combine(done, name));
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                done = next;
                continue;
            }

            if (++links > LinksMax)
            {
                throw new DataException(written, $"leads through more than {LinksMax} links", "a file");
            }

            if (Path.IsPathRooted(target))
            {
                done = Path.GetPathRoot(target)!;
                target = target[done.Length..];
            }

            foreach (var component in Components(target))
            {
                left.Push(component);
            }
        }

        return done;
    }

    // The last first, as a stack takes them.
    private static IEnumerable<string> Components(string path) =>
        path.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse();
}
