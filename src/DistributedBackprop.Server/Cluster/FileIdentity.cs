using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// Which file it is, what .NET has no name for: its number in its file system, and when anything about it changed last,
/// which nobody can set back. See <c>man 2 statx</c>; elsewhere than on Linux nothing.
/// </summary>
/// <param name="Number">The inode.</param>
/// <param name="ChangedSeconds">Since 1970.</param>
/// <param name="ChangedNanoseconds">Of that second.</param>
internal readonly partial record struct FileIdentity(ulong Number, long ChangedSeconds, uint ChangedNanoseconds)
{
    // The layout is the same on every processor.
    private const int StructBytes = 256;
    private const int NumberAt = 32;
    private const int ChangedAt = 96;
    private const int InCurrentFolder = -100;
    private const uint NumberAndChanged = 0x180;

    /// <summary>That of a file.</summary>
    /// <param name="path">The file.</param>
    public static FileIdentity Of(string path)
    {
        var status = new byte[StructBytes];
        try
        {
            if (!OperatingSystem.IsLinux() || Statx(InCurrentFolder, path, 0, NumberAndChanged, status) != 0)
            {
                return default;
            }
        }
        catch (EntryPointNotFoundException)
        {
            // An old C library: times and lengths must do.
            return default;
        }

        return new FileIdentity(
            BinaryPrimitives.ReadUInt64LittleEndian(status.AsSpan(NumberAt)),
            BinaryPrimitives.ReadInt64LittleEndian(status.AsSpan(ChangedAt)),
            BinaryPrimitives.ReadUInt32LittleEndian(status.AsSpan(ChangedAt + sizeof(long))));
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, byte[] status);
}
