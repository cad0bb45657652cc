using System.Collections.Immutable;

namespace DistributedBackprop.Server.Cluster;

/// <summary>What is started as a child node.</summary>
/// <param name="File">The executable.</param>
/// <param name="Arguments">Its arguments before <c>node --child</c>.</param>
public sealed record ChildProgram(string File, ImmutableArray<string> Arguments)
{
    /// <summary>This very program, whether started by its own name or as <c>dotnet backprop.dll</c>.</summary>
    public static ChildProgram Current
    {
        get
        {
            var file = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no executable.");
            return Path.GetFileNameWithoutExtension(file).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
                ? new ChildProgram(file, [Path.GetFullPath(Environment.GetCommandLineArgs()[0])])
                : new ChildProgram(file, []);
        }
    }
}
