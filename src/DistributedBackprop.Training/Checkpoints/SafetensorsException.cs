namespace DistributedBackprop.Training.Checkpoints;

/// <summary>A file is not what safetensors are, or holds what we do not read. The message is for people.</summary>
public sealed class SafetensorsException : Exception
{
    /// <summary>Says what is wrong with a file.</summary>
    /// <param name="file">The file's name or path.</param>
    /// <param name="tensor">The tensor to blame; null where it is the file as a whole.</param>
    /// <param name="what">What is wrong.</param>
    /// <param name="allowed">What would be right; null where nothing can be added.</param>
    /// <param name="inner">What a library said, if it was a library.</param>
    public SafetensorsException(string file, string? tensor, string what, string? allowed = null, Exception? inner = null)
        : base(Compose(file, tensor, what, allowed), inner)
    {
        File = file;
        Tensor = tensor;
    }

    /// <summary>The file's name or path.</summary>
    public string File { get; }

    /// <summary>The tensor to blame; null where it is the file as a whole.</summary>
    public string? Tensor { get; }

    private static string Compose(string file, string? tensor, string what, string? allowed)
    {
        var place = tensor is null ? $"{file}: " : $"{file}: tensor \"{Shortened(tensor)}\": ";
        return allowed is null ? $"{place}{what}" : $"{place}{what} (allowed: {allowed})";
    }

    // A name comes from the file: a hostile one must not fill the terminal.
    private static string Shortened(string name) => name.Length <= 200 ? name : $"{name[..200]}…";
}
