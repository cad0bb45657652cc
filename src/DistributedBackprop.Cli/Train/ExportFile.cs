using DistributedBackprop.Server.Running;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Cli.Train;

/// <summary>
/// The file of final parameters. That it can be written is found out before training, not after; it appears whole or not
/// at all.
/// </summary>
internal sealed class ExportFile
{
    private readonly string _path;

    /// <exception cref="CommandException">The file cannot be written.</exception>
    public ExportFile(string path)
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
    public void Write(TrainingResult result) => Guarded(() =>
    {
        using (var stream = File.Create(PartPath))
        {
            using var writer = new SafetensorsWriter(
                stream, ParameterNames.Of(result.Graph), new Dictionary<string, string> { ["format"] = "pt" });
            foreach (var layer in result.Parameters)
            {
                writer.Append(layer.Floats);
            }

            writer.Complete();
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
