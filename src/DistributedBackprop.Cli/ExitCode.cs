namespace DistributedBackprop.Cli;

/// <summary>What the command's exit says to scripts.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int JobFailed = 1;
    public const int Invalid = 2;
    public const int NotFound = 3;
    public const int Denied = 4;
    public const int NoCluster = 6;
    public const int Interrupted = 130;
}
