using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// The checkpoints of a job, in the order in which one comes about: the layers are asked for their state after a step that
/// none of them has passed; it has come; the job's course at that step is known; it is handed to whoever saves it; that is
/// done, and from then on it is what every generation begins with. It owns what is between.
/// </summary>
internal sealed class CheckpointFlow : IDisposable
{
    // Where the job does not say how often: no oftener than this, however quick its steps are.
    private static readonly TimeSpan _leastPause = TimeSpan.FromMilliseconds(500);

    private readonly JobRun _run;
    private readonly IActorRef _saver;
    private readonly IActorRef _job;
    private readonly RestorePoint _restore;
    private readonly ITimeProvider _time;
    private readonly CheckpointSchedule _schedule;
    private readonly SortedDictionary<long, Saving> _saving = [];
    private JobProgress _progress;
    private (long Step, TrainingState State)? _taken;
    private TimeSpan _askedAt;

    /// <param name="run">The job.</param>
    /// <param name="saver">Who saves checkpoints; null: they are kept in memory alone.</param>
    /// <param name="job">Whom that one answers.</param>
    /// <param name="restore">What generations begin with.</param>
    /// <param name="progress">The job's course from there.</param>
    /// <param name="time">The clock.</param>
    public CheckpointFlow(
        JobRun run, IActorRef? saver, IActorRef job, RestorePoint restore, JobProgress progress, ITimeProvider time)
    {
        _run = run;
        _saver = saver ?? ActorRefs.Nobody;
        _job = job;
        _restore = restore;
        _time = time;
        _progress = progress;
        _askedAt = time.MonotonicClock;
        _schedule = new CheckpointSchedule(
            run.Job.Checkpoints.EverySteps ?? JobRun.CheckpointEvery, run.Plan.TotalSteps);
        _schedule.Restart(progress.Step);
    }

    /// <summary>The last step that may be granted.</summary>
    public long GrantLimit => _schedule.GrantLimit;

    /// <summary>A generation begins: what was asked of the one before does not come any more; what is being saved does.</summary>
    /// <param name="progress">The job's course from there.</param>
    public void Restart(JobProgress progress)
    {
        _progress = progress;
        _taken?.State.Dispose();
        _taken = null;
        _schedule.Restart(progress.Step);
    }

    /// <summary>Whether the layers are to be asked now.</summary>
    /// <param name="granted">The last step that was granted.</param>
    /// <param name="step">After which step.</param>
    public bool TryAsk(long granted, out long step)
    {
        step = 0;
        var now = _time.MonotonicClock;
        if (_run.Job.Checkpoints.EverySteps is null && now - _askedAt < _leastPause)
        {
            return false;
        }

        if (_saving.Count > 0 || !_schedule.TryAsk(granted, out step))
        {
            return false;
        }

        _askedAt = now;
        return true;
    }

    /// <summary>All layers know that they are asked.</summary>
    public void OnNoted(long step) => _schedule.OnKnown(step);

    /// <summary>The layers' state after a step has come. Takes it.</summary>
    public void OnTaken(long step, TrainingState state)
    {
        if (step != _schedule.InFlight || _taken is not null)
        {
            state.Dispose();
            return;
        }

        _taken = (step, state);
        SaveTaken();
    }

    /// <summary>Steps have been judged.</summary>
    public void SaveTaken()
    {
        if (_taken is { } taken && _progress.StateAt(taken.Step) is { } progress)
        {
            _taken = null;
            Save(taken.State, progress);
        }
    }

    /// <summary>Has a state saved. Takes it.</summary>
    public void Save(TrainingState state, ProgressState progress)
    {
        if (!_saving.TryAdd(progress.Step, new Saving(state, progress)))
        {
            // It is being saved already: the same bits.
            state.Dispose();
            return;
        }

        if (_saver.IsNobody())
        {
            _job.Tell(new CheckpointCommitted(_run.Id, progress.Step, state.Layout.Elements * sizeof(float)));
        }
        else
        {
            _saver.Tell(new CommitCheckpoint(_run.Id, state.Share(), progress), _job);
        }
    }

    /// <summary>A state is saved, or cannot be: it is what generations begin with, or none.</summary>
    /// <param name="step">After which step.</param>
    /// <param name="isTaken">Whether generations begin with it from now on.</param>
    /// <returns>Whether this was waited for.</returns>
    public bool OnDone(long step, bool isTaken)
    {
        if (!_saving.Remove(step, out var saving))
        {
            return false;
        }

        _schedule.OnDone(step);
        _progress.ForgetStates(step);
        if (isTaken && step >= _restore.Progress.Step)
        {
            _restore.Take(saving.State, saving.Progress);
        }
        else
        {
            saving.State.Dispose();
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _taken?.State.Dispose();
        _taken = null;
        foreach (var saving in _saving.Values)
        {
            saving.State.Dispose();
        }

        _saving.Clear();
    }

    private sealed record Saving(TrainingState State, ProgressState Progress);
}
