using Akka.Dispatch;

namespace DistributedBackprop.Simulation;

/// <summary>A piece of work that waits for its turn: the run of a mailbox, of a task, or of an action on a dispatcher.</summary>
/// <param name="Node">The node it belongs to; null for the simulation itself.</param>
/// <param name="Path">The traced path of the actor; empty if it is no actor's.</param>
/// <param name="Id">Counts up; tells runs of the same node and path apart.</param>
/// <param name="Work">What to run.</param>
internal readonly record struct QueuedRun(SimulatedNode? Node, string Path, long Id, IRunnable Work);

/// <summary>
/// The runs that could go next, always sorted by (ordinal of the node, path, id). The order in which they arrived can depend
/// on string hashes, which differ between processes; the sorted order does not, so the same draw picks the same run.
/// </summary>
internal sealed class RunQueue
{
    private readonly List<QueuedRun> _runs = [];

    /// <summary>How many wait.</summary>
    public int Count => _runs.Count;

    /// <summary>The runs that wait, in sorted order.</summary>
    public IReadOnlyList<QueuedRun> Waiting => _runs;

    /// <summary>Adds a run at its place.</summary>
    public void Add(in QueuedRun run)
    {
        int low = 0;
        int high = _runs.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (Compare(_runs[middle], run) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        _runs.Insert(low, run);
    }

    /// <summary>Removes and returns the run at <paramref name="index"/> of the sorted order.</summary>
    public QueuedRun TakeAt(int index)
    {
        QueuedRun run = _runs[index];
        _runs.RemoveAt(index);
        return run;
    }

    /// <summary>Drops every run of <paramref name="node"/>.</summary>
    public void Drop(SimulatedNode node) => _runs.RemoveAll(run => run.Node == node);

    private static int Compare(in QueuedRun a, in QueuedRun b)
    {
        int byNode = (a.Node?.Ordinal ?? -1).CompareTo(b.Node?.Ordinal ?? -1);
        if (byNode != 0)
        {
            return byNode;
        }

        int byPath = string.CompareOrdinal(a.Path, b.Path);
        return byPath != 0 ? byPath : a.Id.CompareTo(b.Id);
    }
}
