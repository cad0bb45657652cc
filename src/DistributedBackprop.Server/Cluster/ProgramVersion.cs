using System.Reflection;

namespace DistributedBackprop.Server.Cluster;

/// <summary>The version of the program, for which the promise of equal bits is made.</summary>
public static class ProgramVersion
{
    /// <summary>Such as <c>0.1.0</c>.</summary>
    public static string Current { get; } = typeof(ProgramVersion).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
