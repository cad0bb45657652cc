using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Explain;

/// <summary>
/// The steps that a job trains before one is watched, as training goes through them: granted and judged, and each epoch's
/// end decided, for it may be the job's.
/// </summary>
internal sealed class StepsBefore
{
    // Replicas never wait for a grant, and little is told again.
    private const long Window = 64;

    private readonly long _steps;
    private readonly JobProgress _progress;
    private readonly EpochBoundary _boundary;
    private long _granted;

    /// <param name="run">The job.</param>
    /// <param name="steps">How many steps, ≥ 0 and at most the job's.</param>
    public StepsBefore(JobRun run, long steps)
    {
        _steps = steps;
        _progress = run.ProgressFrom(ProgressState.Beginning);
        _boundary = new EpochBoundary(run, _progress);
    }

    /// <summary>Whether all of them are trained, and what ends with the last is decided.</summary>
    public bool AreTrained => _progress.Step == _steps && !_progress.IsAtBoundary;

    /// <summary>The last step of the job where it ends before; null where it does not.</summary>
    public long? EndedAt => _progress.IsOver && !_progress.IsAtBoundary && _progress.Step < _steps ? _progress.Step : null;

    /// <summary>Whether the job has failed at the end of an epoch: its test loss is not finite.</summary>
    public bool HasDiverged { get; private set; }

    /// <summary>The last step that is judged.</summary>
    public long Judged => _progress.Step;

    /// <summary>A generation is up. Returns what it is to do; null for nothing.</summary>
    public IGenerationMessage? Begin(long generation) => Grant(generation);

    /// <summary>A replica has judged some steps. Returns what follows; null for nothing yet.</summary>
    public IGenerationMessage? OnJudged(StepsJudged judged)
    {
        var before = _progress.Step;
        foreach (var step in judged.Steps)
        {
            _progress.OnStepJudged(step.Step, judged.Replica, step.LossSum, step.Correct);
        }

        return _progress.IsAtBoundary && _progress.Step > before
            ? Follow(_boundary.Enter(judged.Generation, out var order), order, judged.Generation)
            : Grant(judged.Generation);
    }

    /// <summary>A replica has judged its part of the test set. Returns what follows; null for nothing yet.</summary>
    public IGenerationMessage? OnEvaluated(Evaluated evaluated) =>
        Follow(_boundary.OnEvaluated(evaluated, out var order), order, evaluated.Generation);

    /// <summary>A layer has closed the job's last round. Returns what follows; null for nothing yet.</summary>
    public IGenerationMessage? OnRoundClosed(RoundClosed closed) =>
        Follow(_boundary.OnRoundClosed(closed, out var order), order, closed.Generation);

    private IGenerationMessage? Follow(AfterBoundary next, IGenerationMessage? order, long generation)
    {
        HasDiverged |= next == AfterBoundary.Divergence;
        return next == AfterBoundary.NextStep ? Grant(generation) : order;
    }

    private Grant? Grant(long generation)
    {
        var most = Math.Min(_steps, _progress.GrantLimit);
        if (_granted >= most || _granted - _progress.Step > Window / 2)
        {
            return null;
        }

        _granted = Math.Min(most, _progress.Step + Window);
        return new Grant(generation, _granted, _progress.Step);
    }
}
