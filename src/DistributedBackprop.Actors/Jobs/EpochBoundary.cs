using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>What follows at the end of an epoch, or of the job.</summary>
internal enum AfterBoundary
{
    /// <summary>The replicas' answers.</summary>
    Answers,

    /// <summary>The next step.</summary>
    NextStep,

    /// <summary>The job is over.</summary>
    End,

    /// <summary>The job has failed: the test loss is not finite.</summary>
    Divergence,
}

/// <summary>
/// The end of an epoch, or of the job: the test set is judged, then it is decided what follows; where the job ends between
/// two rounds of parameter averaging a last round is made and the test set judged anew.
/// </summary>
/// <param name="run">The job.</param>
/// <param name="progress">Decides.</param>
internal sealed class EpochBoundary(JobRun run, JobProgress progress)
{
    private readonly HashSet<(int Layer, int Replica)> _roundsClosed = [];
    private readonly HashSet<int> _evaluated = [];
    private int _evaluations;

    /// <summary>Whether the replicas judge the test set at present.</summary>
    public bool IsEvaluating { get; private set; }

    /// <summary>The epoch that ended where it was decided last; null where the job ends within one.</summary>
    public EpochDone? Epoch { get; private set; }

    /// <summary>All of an epoch, or the job, is trained.</summary>
    /// <param name="generation">Which placement has trained it.</param>
    /// <param name="order">What the replicas are told; null for nothing.</param>
    public AfterBoundary Enter(long generation, out IGenerationMessage? order)
    {
        IsEvaluating = progress.NeedsEvaluation;
        if (!IsEvaluating)
        {
            return Decide(generation, out order);
        }

        _evaluations++;
        _evaluated.Clear();
        order = new Evaluate(generation, progress.Step, _evaluations);
        return AfterBoundary.Answers;
    }

    /// <summary>Whether a replica's answer is waited for: it is none that came before.</summary>
    public bool Awaits(Evaluated evaluated) => IsEvaluating
        && evaluated.AfterStep == progress.Step
        && evaluated.Number == _evaluations
        && !_evaluated.Contains(evaluated.Replica);

    /// <summary>Whether a layer's answer is waited for: it is none that came before.</summary>
    public bool Awaits(RoundClosed closed) =>
        progress.NeedsRound && !_roundsClosed.Contains((closed.Layer, closed.Replica));

    /// <summary>A replica has judged its slice of the test set.</summary>
    public AfterBoundary OnEvaluated(Evaluated evaluated, out IGenerationMessage? order)
    {
        order = null;
        if (!Awaits(evaluated))
        {
            return AfterBoundary.Answers;
        }

        _evaluated.Add(evaluated.Replica);
        if (!progress.OnEvaluated(evaluated.Replica, evaluated.LossSum, evaluated.Correct))
        {
            return AfterBoundary.Answers;
        }

        IsEvaluating = false;
        return double.IsFinite(progress.TestLoss!.Value) ? Decide(evaluated.Generation, out order) : AfterBoundary.Divergence;
    }

    /// <summary>A layer has closed its last round.</summary>
    public AfterBoundary OnRoundClosed(RoundClosed closed, out IGenerationMessage? order)
    {
        order = null;
        if (!progress.NeedsRound || !_roundsClosed.Add((closed.Layer, closed.Replica)) || _roundsClosed.Count < Rounds)
        {
            return AfterBoundary.Answers;
        }

        progress.OnRoundClosed();
        return Enter(closed.Generation, out order);
    }

    private int Rounds => run.Graph.Nodes.Length * run.Job.Parallelism.Replicas;

    private AfterBoundary Decide(long generation, out IGenerationMessage? order)
    {
        order = null;
        Epoch = progress.DecideBoundary();
        _evaluations = progress.NeedsRound ? _evaluations : 0;
        if (!progress.NeedsRound)
        {
            return progress.IsOver ? AfterBoundary.End : AfterBoundary.NextStep;
        }

        order = new CloseRound(generation, progress.Step);
        return AfterBoundary.Answers;
    }
}
