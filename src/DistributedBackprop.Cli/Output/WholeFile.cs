namespace DistributedBackprop.Cli.Output;

/// <summary>
/// A file that a command writes at its end. That it can be written is found out before; it appears whole or not at all.
/// </summary>
internal sealed class WholeFile
{
    private readonly string _path;

    /// <exception cref="CommandException">The file cannot be written.</exception>
    public WholeFile(string path)
    {
        _path = Path.GetFullPath(path);
        if (Directory.Exists(_path))
        {
            throw new CommandException(ExitCode.Invalid, $"{path}: is a folder, not a file to write to");
        }

        Guarded(() =>
        {
            using (File.Create(PartPath))
            {
            }

            File.Delete(PartPath);
        });
    }

    // A name of our own: nobody's file is overwritten on the way.
    private string PartPath => $"{_path}.{Environment.ProcessId}.part";

    /// <exception cref="CommandException">The file cannot be written.</exception>
    public void Write(Action<Stream> content) => Guarded(() =>
    {
        using (var stream = File.Create(PartPath))
        {
            content(stream);
        }

        File.Move(PartPath, _path, overwrite: true);
    });

    private void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Invalid, $"{_path}: cannot be written: {e.Message}");
        }
    }
}
