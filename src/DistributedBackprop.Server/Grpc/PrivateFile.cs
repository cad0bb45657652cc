namespace DistributedBackprop.Server.Grpc;

/// <summary>Small texts in files that only their owner can read.</summary>
public static class PrivateFile
{
    private const int MaxBytes = 4096;

    /// <summary>
    /// Where a user's files of this program are: <c>$XDG_CONFIG_HOME/backprop</c>, by default <c>~/.config/backprop</c>.
    /// </summary>
    public static string Folder => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } configured && Path.IsPathRooted(configured)
            ? configured
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "backprop");

    /// <summary>Reads a file, without the end of its line.</summary>
    /// <exception cref="IOException">It is not there, cannot be read, or is too long.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public static string Read(string path)
    {
        using var file = File.OpenRead(path);
        if (file.Length > MaxBytes)
        {
            throw new IOException($"{path} has {file.Length} bytes, more than {MaxBytes}");
        }

        using var reader = new StreamReader(file);
        return reader.ReadToEnd().TrimEnd('\r', '\n');
    }

    /// <summary>Reads a file; where there is none it is made, with a fresh text. Of several who make it one wins.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fresh">Makes the text.</param>
    /// <exception cref="IOException">It can neither be read nor made, or others than its owner can read it.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read or made.</exception>
    public static string ReadOrMint(string path, Func<string> fresh)
    {
        ArgumentNullException.ThrowIfNull(fresh);
        path = Path.GetFullPath(path);
        if (!File.Exists(path))
        {
            Mint(path, fresh());
        }

        if (!OperatingSystem.IsWindows()
            && (File.GetUnixFileMode(path) & (UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
        {
            throw new IOException($"{path} may be read or written by others than its owner (allowed: mode 0600; 'chmod 600 {path}')");
        }

        return Read(path);
    }

    /// <summary>Writes a file that only its owner can read, over the one that is there.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be written.</exception>
    public static void Write(string path, string text) => File.Move(WritePart(path, text), path, overwrite: true);

    private static string WritePart(string path, string text)
    {
        var part = $"{path}.{Environment.ProcessId}.part";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(part, options);
        writer.Write(text);
        writer.Write('\n');
        return part;
    }

    // Written under another name first: whoever finds the file finds it whole.
    private static void Mint(string path, string text)
    {
        var folder = Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var part = WritePart(path, text);
        try
        {
            File.Move(part, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(part);
        }
    }
}
