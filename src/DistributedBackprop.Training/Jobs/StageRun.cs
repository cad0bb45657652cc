using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs;

/// <summary>Stages of a replica, one after the other, that are on one node.</summary>
/// <param name="First">The first stage.</param>
/// <param name="End">The stage after the last.</param>
/// <param name="Node">The node's index.</param>
internal readonly record struct StageRun(int First, int End, int Node)
{
    /// <summary>The runs of a replica, in pipeline order.</summary>
    public static ImmutableArray<StageRun> Of(ReadOnlySpan<int> nodeOf)
    {
        var runs = ImmutableArray.CreateBuilder<StageRun>();
        for (int first = 0, end; first < nodeOf.Length; first = end)
        {
            end = first + 1;
            while (end < nodeOf.Length && nodeOf[end] == nodeOf[first])
            {
                end++;
            }

            runs.Add(new StageRun(first, end, nodeOf[first]));
        }

        return runs.ToImmutable();
    }

    /// <summary>What can be taken away and leaves a run or nothing: all of it, its beginnings and its ends.</summary>
    public IEnumerable<StageRun> Parts()
    {
        yield return this;
        for (var middle = First + 1; middle < End; middle++)
        {
            yield return this with { First = middle };
            yield return this with { End = middle };
        }
    }
}
