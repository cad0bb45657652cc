using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Checkpoints;

/// <summary>
/// States of a job that are being taken in from the nodes of a generation: which nodes know that they are asked, and what has
/// come. It owns what has come until it is complete.
/// </summary>
/// <param name="layout">The whole state of the job.</param>
/// <param name="pool">Lends memory.</param>
/// <param name="nodes">The nodes of the generation.</param>
internal sealed class StateIntake(StateLayout layout, TensorPool pool, IEnumerable<string> nodes) : IDisposable
{
    private readonly SortedDictionary<long, Asked> _asked = [];
    private readonly SortedDictionary<long, (CaptureState Order, HashSet<string> Nodes)> _silent = [];

    /// <summary>
    /// The orders that some node has not answered yet. Also of a state that is complete: a node that has nothing of it must
    /// know of the order before its layers pass that step.
    /// </summary>
    public IEnumerable<CaptureState> Unanswered => _silent.Values.Select(silent => silent.Order);

    /// <summary>What is being taken in of a step; null where nothing is.</summary>
    public CaptureState? AskedOf(long step) => _asked.GetValueOrDefault(step)?.Order;

    /// <summary>A state is asked for.</summary>
    public void Ask(CaptureState order)
    {
        _asked.Add(order.AfterStep, new Asked(order, new TrainingState(order.ParametersOnly ? layout.ParametersOnly : layout, pool)));
        _silent[order.AfterStep] = (order, new HashSet<string>(nodes, StringComparer.Ordinal));
    }

    /// <summary>A node knows. Returns whether it was the last.</summary>
    public bool OnNoted(string node, long step) =>
        _silent.TryGetValue(step, out var silent)
        && silent.Nodes.Remove(node)
        && silent.Nodes.Count == 0
        && _silent.Remove(step);

    /// <summary>A part has come; it is given up where it is not asked for. Takes the tensor.</summary>
    public void Add(StatePart part)
    {
        if (_asked.TryGetValue(part.Step, out var asked))
        {
            asked.State.Add(part.Vector, part.Start, part.Value);
        }
        else
        {
            part.Value.Dispose();
        }
    }

    /// <summary>Takes the state of a step if it is complete; the caller owns it.</summary>
    public TrainingState? TakeComplete(long step)
    {
        if (!_asked.TryGetValue(step, out var asked) || !asked.State.IsComplete)
        {
            return null;
        }

        _asked.Remove(step);
        return asked.State;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var asked in _asked.Values)
        {
            asked.State.Dispose();
        }

        _asked.Clear();
    }

    private sealed record Asked(CaptureState Order, TrainingState State);
}
