using System.Collections.Immutable;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>A whole safetensors file at once: what <c>--init</c> reads and <c>--export</c> writes.</summary>
public static class SafetensorsFile
{
    /// <summary>Writes tensors in the order given.</summary>
    /// <param name="stream">Where to write; stays the caller's.</param>
    /// <param name="tensors">The tensors in graph order.</param>
    /// <param name="metadata">Texts for <c>__metadata__</c>; null without.</param>
    /// <returns><c>weightsSha256</c>, 64 lower-case hexadecimal digits.</returns>
    /// <exception cref="ArgumentException">A name is not allowed, or data do not fill their shape.</exception>
    public static string Write(
        Stream stream, IReadOnlyCollection<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        foreach (var tensor in tensors)
        {
            if (tensor.Data.Length != tensor.Shape.Length)
            {
                throw new ArgumentException(
                    $"{tensor.Name} {tensor.Shape} has not {tensor.Data.Length} elements.", nameof(tensors));
            }
        }

        using var writer = new SafetensorsWriter(stream, tensors.Select(tensor => (tensor.Name, tensor.Shape)), metadata);
        foreach (var tensor in tensors)
        {
            writer.Append(tensor.Data.Span);
        }

        return writer.Complete();
    }

    /// <summary>Reads every tensor. Memory is taken only for what the file really holds.</summary>
    /// <param name="stream">A file's stream, which knows its length; stays the caller's.</param>
    /// <param name="fileName">How errors call it.</param>
    /// <returns>The tensors in the order of their data.</returns>
    /// <exception cref="SafetensorsException">The file is damaged, or holds another type than F32.</exception>
    /// <exception cref="ArgumentException">The stream cannot seek.</exception>
    public static ImmutableArray<NamedTensor> Read(Stream stream, string fileName) =>
        SafetensorsReader.Read(stream, fileName).Tensors;
}
