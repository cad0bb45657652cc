using System.Collections.Immutable;

namespace DistributedBackprop.Training.Pipeline;

/// <summary>Cuts the layers of a graph into stages: runs in graph order, the heaviest as light as can be.</summary>
public static class StageCut
{
    /// <summary>The stage of each layer.</summary>
    /// <param name="work">The work of each layer, ≥ 0, in graph order.</param>
    /// <param name="stages">1 … layers; every stage gets a layer.</param>
    public static ImmutableArray<int> Of(IReadOnlyList<long> work, int stages)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfLessThan(stages, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stages, work.Count);

        // best[s, l]: the heaviest stage when the first l layers make s stages; from[s, l]: where the last of them begins.
        var best = new long[stages + 1, work.Count + 1];
        var from = new int[stages + 1, work.Count + 1];
        for (var s = 0; s <= stages; s++)
        {
            for (var l = 0; l <= work.Count; l++)
            {
                best[s, l] = s == 0 && l == 0 ? 0 : long.MaxValue;
            }
        }

        for (var s = 1; s <= stages; s++)
        {
            for (var l = s; l <= work.Count; l++)
            {
                long last = 0;
                for (var first = l - 1; first >= s - 1; first--)
                {
                    last += work[first];
                    var heaviest = Math.Max(best[s - 1, first], last);
                    if (heaviest < best[s, l])
                    {
                        best[s, l] = heaviest;
                        from[s, l] = first;
                    }
                }
            }
        }

        var stageOf = new int[work.Count];
        for (int s = stages, end = work.Count; s > 0; end = from[s, end], s--)
        {
            Array.Fill(stageOf, s - 1, from[s, end], end - from[s, end]);
        }

        return [.. stageOf];
    }
}
