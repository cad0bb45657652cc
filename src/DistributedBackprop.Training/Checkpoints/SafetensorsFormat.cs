namespace DistributedBackprop.Training.Checkpoints;

/// <summary>Words and bounds of the safetensors format.</summary>
internal static class SafetensorsFormat
{
    /// <summary>The one element type that we write and read.</summary>
    public const string Float32 = "F32";

    /// <summary>The member of the header that is no tensor.</summary>
    public const string MetadataName = "__metadata__";

    /// <summary>The text in the metadata that is the SHA-256 of the data section, 64 lower-case hexadecimal digits.</summary>
    public const string HashName = "weightsSha256";

    /// <summary>What the reference implementation allows a header, in bytes.</summary>
    public const long HeaderBytesMax = 100_000_000;

    /// <summary>Bytes before the header: its length.</summary>
    public const int LengthBytes = 8;
}
