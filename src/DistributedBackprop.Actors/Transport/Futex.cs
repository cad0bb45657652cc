using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// Sleeping on a word of memory that two processes share, until the other one wakes: what .NET has no name for. Linux on
/// x64 only; see <c>man 2 futex</c>.
/// </summary>
internal static unsafe partial class Futex
{
    private const long CallNumber = 202;
    private const int WaitOperation = 0;
    private const int WakeOperation = 1;

    /// <summary>Whether this machine has it.</summary>
    [SupportedOSPlatformGuard("linux")]
    public static bool IsThere { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Sleeps while a word has a value, until it is woken or some time has passed; may wake for nothing.</summary>
    public static void Wait(int* word, int value, TimeSpan atMost)
    {
        var time = stackalloc long[2];
        time[0] = (long)atMost.TotalSeconds;
        time[1] = atMost.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick;
        Call(CallNumber, word, WaitOperation, value, time, null, 0);
    }

    /// <summary>Wakes whoever sleeps on a word.</summary>
    public static void Wake(int* word) => Call(CallNumber, word, WakeOperation, int.MaxValue, null, null, 0);

    [LibraryImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial long Call(long number, int* word, long operation, long value, long* time, void* second, long third);
}
