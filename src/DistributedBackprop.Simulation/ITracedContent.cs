namespace DistributedBackprop.Simulation;

/// <summary>A message that says itself what of it enters the trace.</summary>
public interface ITracedContent
{
    /// <summary>Text that is the same in every process for equal messages.</summary>
    string TracedContent { get; }
}
