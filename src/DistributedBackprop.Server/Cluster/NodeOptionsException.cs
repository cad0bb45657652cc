namespace DistributedBackprop.Server.Cluster;

/// <summary>Settings of a node are not as they must be.</summary>
/// <param name="errors">One line each: which setting, its value, what is allowed.</param>
public sealed class NodeOptionsException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    /// <summary>One line each: which setting, its value, what is allowed.</summary>
    public IReadOnlyList<string> Errors { get; } = errors;
}
