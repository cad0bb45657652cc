using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Cli.Train;

/// <summary>Parameters to begin with, read from a safetensors file and found to be exactly those of the network.</summary>
/// <param name="Parameters">By full name (<c>layer.parameter</c>).</param>
/// <param name="Sha256">The hash of the parameters in graph order: part of the job's identity.</param>
internal sealed record InitialParameters(ImmutableDictionary<string, float[]> Parameters, string Sha256)
{
    /// <exception cref="CommandException">The file is not there, damaged, or holds other parameters.</exception>
    public static InitialParameters Read(string path, Graph graph)
    {
        var tensors = Open(path).ToDictionary(tensor => tensor.Name);
        var errors = new List<string>();
        var parameters = ImmutableDictionary.CreateBuilder<string, float[]>();
        using var hash = new WeightsHash();
        foreach (var (name, shape) in ParameterNames.Of(graph))
        {
            if (!tensors.Remove(name, out var tensor))
            {
                errors.Add($"{path}: tensor {name} {shape} is missing");
            }
            else if (!tensor.Shape.Equals(shape))
            {
                errors.Add($"{path}: tensor {name} must be {shape} (was {tensor.Shape})");
            }
            else
            {
                hash.Append(tensor.Data.Span);
                parameters.Add(name, tensor.Data.ToArray());
            }
        }

        errors.AddRange(tensors.Keys.Order(StringComparer.Ordinal).Select(name => $"{path}: the model has no parameter {name}"));
        return errors.Count == 0
            ? new InitialParameters(parameters.ToImmutable(), hash.ToString())
            : throw new CommandException(ExitCode.Invalid, errors);
    }

    private static ImmutableArray<NamedTensor> Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new CommandException(
                ExitCode.NotFound,
                Directory.Exists(path) ? $"{path}: is a folder, not a file of parameters" : $"{path}: there is no such file of parameters");
        }

        try
        {
            using var stream = File.OpenRead(path);
            return SafetensorsFile.Read(stream, path);
        }
        catch (SafetensorsException e)
        {
            throw new CommandException(ExitCode.Invalid, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Invalid, $"{path}: cannot be read: {e.Message}");
        }
    }
}
