using DistributedBackprop.Cli.Output;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Cli.Train;

/// <summary>
/// The file of final parameters. That it can be written is found out before training, not after; it appears whole or not
/// at all.
/// </summary>
/// <param name="path">Where.</param>
/// <exception cref="CommandException">The file cannot be written.</exception>
internal sealed class ExportFile(string path)
{
    private readonly WholeFile _file = new(path);

    /// <exception cref="CommandException">The file cannot be written.</exception>
    public void Write(TrainingResult result) => _file.Write(stream =>
    {
        using var hash = new WeightsHash();
        foreach (var layer in result.Parameters)
        {
            hash.Append(layer.Floats);
        }

        using var writer = new SafetensorsWriter(
            stream, ParameterNames.Of(result.Graph), SafetensorsWriter.MetadataOf(hash.ToString()));
        foreach (var layer in result.Parameters)
        {
            writer.Append(layer.Floats);
        }

        writer.Complete();
    });
}
