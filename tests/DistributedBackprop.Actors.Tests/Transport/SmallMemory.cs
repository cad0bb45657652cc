using System.Diagnostics;

namespace DistributedBackprop.Actors.Tests.Transport;

/// <summary>A folder whose files are memory, of which there is little. Who may not mount one skips the test.</summary>
internal sealed class SmallMemory : IDisposable
{
    private SmallMemory(string path) => Path = path;

    public string Path { get; }

    public static SmallMemory Mount(int bytes)
    {
        var path = Directory.CreateTempSubdirectory("backprop-memory-").FullName;
        var isMounted = OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={bytes}", "none", path);
        if (!isMounted)
        {
            Directory.Delete(path);
        }

        Skip.IfNot(isMounted, "Only root mounts a file system.");
        return new SmallMemory(path);
    }

    public void Dispose()
    {
        // What is still mapped keeps it: it goes with the process then.
        Run("umount", "--lazy", Path);
        Directory.Delete(Path);
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
