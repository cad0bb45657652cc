using System.Globalization;

namespace DistributedBackprop.Server.Storage;

/// <summary>
/// A folder of state is one process's at a time. The lock is the operating system's: it ends with the process, however that
/// ends, so none is ever left behind.
/// </summary>
public sealed class StateLock : IDisposable
{
    private const string LockName = "lock";

    // Next to the lock, which nobody else can open while it is held.
    private const string HolderName = "lock.holder";

    // EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION of Windows.
    private static readonly int[] _wouldBlock = [11, 35, unchecked((int)0x80070020)];

    private readonly FileStream _lock;

    private StateLock(string folder, FileStream held) => (Folder, _lock) = (folder, held);

    /// <summary>The folder, as a full path.</summary>
    public string Folder { get; }

    /// <summary>Takes a folder, and makes it where it is not there.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="StorageException">
    /// Another process has it (the message names that one), or it cannot be made or written.
    /// </exception>
    public static StateLock Take(string folder)
    {
        var full = Path.GetFullPath(folder);
        var holder = Path.Combine(full, HolderName);
        FileStream held;
        try
        {
            Directory.CreateDirectory(full);
            held = new FileStream(Path.Combine(full, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (_wouldBlock.Contains(e.HResult) && HolderOf(holder) is { } other)
        {
            throw new StorageException($"{full} is in use by process {other}: one process at a time may keep its state there", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{full} cannot be used to keep state: {e.Message}", e);
        }

        try
        {
            File.WriteAllText(holder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            throw new StorageException($"{full} cannot be used to keep state: {e.Message}", e);
        }

        return new StateLock(full, held);
    }

    /// <summary>Gives the folder up.</summary>
    public void Dispose() => _lock.Dispose();

    private static string? HolderOf(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
