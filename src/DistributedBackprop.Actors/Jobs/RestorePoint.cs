using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// What every generation of a job begins with: the newest checkpoint, or before the first the beginning of the job. Whatever
/// is lost, all layers go back to this one step, whichever of them are further. Owns the state.
/// </summary>
/// <param name="run">The job.</param>
/// <param name="layout">The whole state of the job.</param>
/// <param name="pool">Lends memory.</param>
/// <param name="start">Where the job begins; taken.</param>
internal sealed class RestorePoint(JobRun run, StateLayout layout, TensorPool pool, JobStart start) : IDisposable
{
    private TrainingState? _state = start.State;
    private TrainingState? _initial;

    /// <summary>The job's course there.</summary>
    public ProgressState Progress { get; private set; } = start.Progress;

    /// <summary>What layers begin with.</summary>
    public StateOrigin Origin =>
        _state is not null ? StateOrigin.Full : run.Initial is not null ? StateOrigin.Parameters : StateOrigin.Fresh;

    /// <summary>A share of what they are sent; null where they begin afresh. The caller owns it.</summary>
    /// <exception cref="ArgumentException">A parameter to begin with is missing.</exception>
    public TrainingState? Share()
    {
        if (_state is null && run.Initial is { } initial)
        {
            _initial ??= InitialState.Of(initial, run.Graph, layout.ParametersOnly, pool);
        }

        return (_state ?? _initial)?.Share();
    }

    /// <summary>From now on this is what generations begin with.</summary>
    /// <param name="state">The state of all layers; taken.</param>
    /// <param name="progress">The job's course there.</param>
    public void Take(TrainingState state, ProgressState progress)
    {
        Dispose();
        (_state, Progress) = (state, progress);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _state?.Dispose();
        _initial?.Dispose();
        (_state, _initial) = (null, null);
    }
}
