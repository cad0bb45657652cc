using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;

namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// What a job knows of its own course, and what follows: which step may be granted, when to evaluate, when to end. Pure:
/// reports go in, decisions come out, in the same order whoever is fast or slow.
/// </summary>
public sealed class JobProgress
{
    private readonly TrainingJob _job;
    private readonly StepPlan _plan;
    private readonly Loss _loss;
    private readonly int? _testExamples;
    private readonly SortedDictionary<long, Reports> _steps = [];
    private readonly RememberedStates _remembered;
    private Reports? _evaluation;
    private double _epochLossSum;
    private long _epochExamples;
    private double _bestTestLoss = double.PositiveInfinity;
    private int _epochsWithoutBetter;

    /// <summary>A job that has not begun.</summary>
    /// <param name="job">The job.</param>
    /// <param name="plan">Which examples a step takes.</param>
    /// <param name="loss">Says what sums are divided by.</param>
    /// <param name="testExamples">Examples of the test set; null without one.</param>
    /// <param name="checkpointEvery">
    /// <see cref="StateAt"/> is kept for each multiple of this number of steps, ≥ 1; null for none.
    /// </param>
    public JobProgress(TrainingJob job, StepPlan plan, Loss loss, int? testExamples, long? checkpointEvery = null)
    {
        ArgumentNullException.ThrowIfNull(job);
        _job = job;
        _plan = plan;
        _loss = loss;
        _testExamples = testExamples;
        _remembered = new RememberedStates(checkpointEvery);
    }

    /// <summary>A job that goes on from where another run of it was.</summary>
    /// <param name="job">The job.</param>
    /// <param name="plan">Which examples a step takes.</param>
    /// <param name="loss">Says what sums are divided by.</param>
    /// <param name="testExamples">Examples of the test set; null without one.</param>
    /// <param name="from">What that run knew.</param>
    /// <param name="checkpointEvery">As for a job that has not begun.</param>
    /// <exception cref="ArgumentException">This job cannot have been there.</exception>
    public JobProgress(
        TrainingJob job, StepPlan plan, Loss loss, int? testExamples, ProgressState from, long? checkpointEvery = null)
        : this(job, plan, loss, testExamples, checkpointEvery)
    {
        ArgumentNullException.ThrowIfNull(from);
        if (from.Step > plan.TotalSteps || (from.IsAtBoundary && (from.Step == 0 || BoundaryAtOrAfter(from.Step) != from.Step)))
        {
            throw new ArgumentException(
                $"This job of {plan.TotalSteps} steps, {plan.StepsPerEpoch} to the epoch, is never at {from}.", nameof(from));
        }

        Restore(from);
    }

    /// <summary>The last step whose losses are all there.</summary>
    public long Step { get; private set; }

    /// <summary>Training examples so far.</summary>
    public long Examples { get; private set; }

    /// <summary>Whole epochs so far.</summary>
    public int Epochs { get; private set; }

    /// <summary>Mean loss of the last epoch, whole or not; NaN before the first step.</summary>
    public double TrainLoss { get; private set; } = double.NaN;

    /// <summary>Of the last evaluation; null without one.</summary>
    public double? TestLoss { get; private set; }

    /// <summary>Of the last evaluation; null without one.</summary>
    public double? TestAccuracy { get; private set; }

    /// <summary>What the future depends on now. Reports on later steps are not part of it: they come again.</summary>
    public ProgressState State => new(
        Step,
        Examples,
        Epochs,
        TrainLoss,
        TestLoss,
        TestAccuracy,
        _epochLossSum,
        _epochExamples,
        _bestTestLoss,
        _epochsWithoutBetter,
        IsAtBoundary,
        NeedsRound,
        IsOver);

    /// <summary>Whether the job has reached its end.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The last step that may be granted now: nothing past an epoch's end until that epoch is decided.</summary>
    public long GrantLimit => IsOver || IsAtBoundary ? Step : BoundaryAtOrAfter(Step + 1);

    /// <summary>Whether all of an epoch (or the job) is trained, and its end waits to be decided.</summary>
    public bool IsAtBoundary { get; private set; }

    /// <summary>Whether the boundary waits for an evaluation of the test set.</summary>
    public bool NeedsEvaluation => IsAtBoundary && _testExamples is > 0;

    /// <summary>
    /// The state exactly after a step, its epoch's end not yet decided, for the checkpoint of that step; null where the
    /// step is not complete, is no multiple of what was asked for, or is too long ago: the
    /// <see cref="RememberedStates.Most"/> newest are kept.
    /// </summary>
    /// <param name="step">The step.</param>
    public ProgressState? StateAt(long step) => _remembered.At(step);

    /// <summary>The states up to this step are not asked for any more.</summary>
    public void ForgetStates(long upToStep) => _remembered.Forget(upToStep);

    /// <summary>A replica's report on a step. Returns the steps that are complete by it, in order.</summary>
    public IEnumerable<StepSummary> OnStepJudged(long step, int replica, double lossSum, long correct)
    {
        // Of a step that is complete nothing new can come: it is a report sent again.
        if (step <= Step)
        {
            return [];
        }

        if (!_steps.TryGetValue(step, out var reports))
        {
            _steps.Add(step, reports = new Reports(_job.Parallelism.Replicas));
        }

        reports.Add(replica, lossSum, correct);
        var summaries = new List<StepSummary>();
        while (_steps.TryGetValue(Step + 1, out var next) && next.IsComplete)
        {
            _steps.Remove(Step + 1);
            summaries.Add(Complete(next));
        }

        return summaries;
    }

    /// <summary>A replica's report on the evaluation. Returns whether it was the last.</summary>
    public bool OnEvaluated(int replica, double lossSum, long correct)
    {
        _evaluation ??= new Reports(_job.Parallelism.Replicas);
        _evaluation.Add(replica, lossSum, correct);
        if (!_evaluation.IsComplete)
        {
            return false;
        }

        TestLoss = _evaluation.LossSum / _loss.MeanOver(_testExamples!.Value);
        TestAccuracy = (double)_evaluation.Correct / _testExamples.Value;
        _evaluation = null;
        return true;
    }

    /// <summary>
    /// Whether the job was decided to end between two rounds of parameter averaging: a last round must follow, and the
    /// test set be judged anew, before the boundary is decided again.
    /// </summary>
    public bool NeedsRound { get; private set; }

    /// <summary>The last round is done.</summary>
    public void OnRoundClosed() => NeedsRound = false;

    /// <summary>
    /// Decides the boundary. Returns the epoch that ended there; null where the job ends within one, or
    /// <see cref="NeedsRound"/>.
    /// </summary>
    public EpochDone? DecideBoundary()
    {
        var isEpochEnd = _plan.IsEpochEnd(Step);
        if (!IsOver)
        {
            IsOver = (isEpochEnd && MeetsStopRule()) || Step == _plan.TotalSteps;
            NeedsRound = IsOver && IsBetweenRounds;
            if (NeedsRound)
            {
                return null;
            }
        }

        IsAtBoundary = false;
        if (!isEpochEnd)
        {
            return null;
        }

        Epochs++;
        (_epochLossSum, _epochExamples) = (0, 0);
        return new EpochDone(Epochs, Step, TrainLoss, TestLoss, TestAccuracy);
    }

    private bool IsBetweenRounds => _job.Parallelism.Averaging is ParameterAveraging averaging
        && Step % averaging.Every != 0
        && Step != _plan.TotalSteps;

    private StepSummary Complete(Reports reports)
    {
        Step++;
        var batch = _plan.At(Step);
        Examples += batch.Count;
        _epochLossSum += reports.LossSum;
        _epochExamples += batch.Count;
        TrainLoss = _epochLossSum / _loss.MeanOver(_epochExamples);
        IsAtBoundary = BoundaryAtOrAfter(Step) == Step;
        _remembered.OnStep(this);
        return new StepSummary(
            Step,
            (int)batch.Epoch + 1,
            batch.Count,
            reports.LossSum / _loss.MeanOver(batch.Count),
            (double)reports.Correct / batch.Count);
    }

    private void Restore(ProgressState from)
    {
        (Step, Examples, Epochs) = (from.Step, from.Examples, from.Epochs);
        (TrainLoss, TestLoss, TestAccuracy) = (from.TrainLoss, from.TestLoss, from.TestAccuracy);
        (_epochLossSum, _epochExamples) = (from.EpochLossSum, from.EpochExamples);
        (_bestTestLoss, _epochsWithoutBetter) = (from.BestTestLoss, from.EpochsWithoutBetter);
        (IsAtBoundary, NeedsRound, IsOver) = (from.IsAtBoundary, from.NeedsRound, from.IsOver);
    }

    private long BoundaryAtOrAfter(long step) =>
        Math.Min((_plan.EpochOf(step) + 1) * _plan.StepsPerEpoch, _plan.TotalSteps);

    private bool MeetsStopRule()
    {
        var rule = _job.Training.StopWhen;
        if (TestLoss is { } testLoss)
        {
            _epochsWithoutBetter = testLoss < _bestTestLoss ? 0 : _epochsWithoutBetter + 1;
            _bestTestLoss = Math.Min(_bestTestLoss, testLoss);
        }

        return (rule.TestAccuracy is { } accuracy && TestAccuracy >= accuracy)
            || (rule.TrainLoss is { } trainLoss && TrainLoss <= trainLoss)
            || (rule.Patience is { } patience && _epochsWithoutBetter >= patience);
    }

    // One number per replica, added by the tree once all are there: who reports first is of no account.
    private sealed class Reports(int replicas)
    {
        private readonly double[] _lossSums = new double[replicas];
        private readonly bool[] _reported = new bool[replicas];

        public long Correct { get; private set; }

        public double LossSum => TreeSum.Of(_lossSums);

        public bool IsComplete => Array.TrueForAll(_reported, reported => reported);

        public void Add(int replica, double lossSum, long correct)
        {
            // Sent again it is the same report.
            if (!_reported[replica])
            {
                _reported[replica] = true;
                _lossSums[replica] = lossSum;
                Correct += correct;
            }
        }
    }
}

/// <summary>A step whose losses are all there.</summary>
/// <param name="Step">Which, from 1.</param>
/// <param name="Epoch">In which epoch, from 1.</param>
/// <param name="Examples">Its examples.</param>
/// <param name="Loss">Their mean loss, before the update.</param>
/// <param name="Accuracy">The share judged right, before the update.</param>
public readonly record struct StepSummary(long Step, int Epoch, int Examples, double Loss, double Accuracy);
