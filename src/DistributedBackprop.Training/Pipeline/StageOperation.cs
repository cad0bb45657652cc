namespace DistributedBackprop.Training.Pipeline;

/// <summary>One entry of a schedule: a stage goes forward or backward with one micro-batch.</summary>
/// <param name="IsForward">Forward, else backward.</param>
/// <param name="MicroBatch">Which, from 0.</param>
public readonly record struct StageOperation(bool IsForward, int MicroBatch)
{
    /// <summary>As grids show it: <c>F0</c>, <c>B2</c>.</summary>
    public override string ToString() => $"{(IsForward ? 'F' : 'B')}{MicroBatch}";
}
