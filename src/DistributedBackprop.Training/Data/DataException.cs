namespace DistributedBackprop.Training.Data;

/// <summary>Data that a job names cannot be used. The message is for people: which file, where, what, what is allowed.</summary>
public sealed class DataException : Exception
{
    /// <summary>Says what is wrong with a file.</summary>
    /// <param name="file">The file's name or path, or the name of a generated set.</param>
    /// <param name="what">What is wrong.</param>
    /// <param name="allowed">What would be right, or the next step; null where nothing can be added.</param>
    /// <param name="byteOffset">Where in the file (unpacked, where it is gzip), ≥ 0; null where no place is to blame.</param>
    /// <param name="inner">What a library said, if it was a library.</param>
    public DataException(string file, string what, string? allowed = null, long? byteOffset = null, Exception? inner = null)
        : base(Compose(file, what, allowed, byteOffset), inner)
    {
        File = file;
        ByteOffset = byteOffset;
    }

    /// <summary>The file's name or path, or the name of a generated set.</summary>
    public string File { get; }

    /// <summary>Whether the file is not there, rather than not what it must be.</summary>
    public bool IsNotFound { get; init; }

    /// <summary>Where in the file, in bytes from its beginning (unpacked, where it is gzip); null: no single place.</summary>
    public long? ByteOffset { get; }

    private static string Compose(string file, string what, string? allowed, long? byteOffset)
    {
        var place = byteOffset is { } offset ? FormattableString.Invariant($"{file}: byte {offset}: ") : $"{file}: ";
        return allowed is null ? $"{place}{what}" : $"{place}{what} (allowed: {allowed})";
    }
}
