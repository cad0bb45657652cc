using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>
/// The near end of a replica's pipeline: cuts its slice of each minibatch into micro-batches, feeds them to the layers
/// that take the example, and the targets to the loss. It begins a step when it is granted and the loss has judged the
/// step before: so at most two steps of examples are in flight, while layers still go backward through the first.
/// </summary>
public sealed class ReplicaActor : PipelineActor
{
    /// <summary>Examples that are judged at once in an evaluation, at most.</summary>
    internal const int EvaluationChunk = 256;

    // Forward passes of an evaluation that are under way at once: enough for every stage to have work.
    private const int EvaluationWindow = 4;

    private static readonly TimeSpan _reportEvery = TimeSpan.FromMilliseconds(50);

    private readonly ReplicaAssignment _assignment;
    private readonly List<JudgedStep> _unreported = [];
    private readonly List<JudgedStep> _unacknowledged = [];
    private TimeSpan _reportedAt;
    private Connect? _links;
    private readonly EpochOrder _epochOrder;
    private readonly int[] _order;
    private long _orderEpoch = -1;
    private long _fedStep;
    private long _judgedStep;
    private long _grantedStep;
    private long _reportAtStep;
    private Evaluation? _evaluation;
    private Evaluation? _lastEvaluation;
    private Evaluated? _evaluated;

    /// <summary>Makes the actor.</summary>
    /// <param name="generation">The placement it belongs to.</param>
    /// <param name="job">Who grants steps and hears of losses.</param>
    /// <param name="assignment">What it is made of.</param>
    public ReplicaActor(long generation, IActorRef job, ReplicaAssignment assignment)
        : base(generation, job)
    {
        _assignment = assignment;
        _epochOrder = new EpochOrder(assignment.Seed, assignment.Data.Train.Count, assignment.Shuffle);
        _order = new int[assignment.Data.Train.Count];
        _fedStep = _judgedStep = _grantedStep = assignment.AfterStep;
    }

    /// <inheritdoc/>
    protected override string FailureName => "input";

    /// <inheritdoc/>
    protected override long CurrentStep => _fedStep;

    /// <summary>How to make the actor.</summary>
    public static Props Props(long generation, IActorRef job, ReplicaAssignment assignment) =>
        Akka.Actor.Props.Create(() => new ReplicaActor(generation, job, assignment));

    /// <inheritdoc/>
    protected override void BecomeConnected(Connect links)
    {
        _links = links;
        OfGeneration<Grant>(OnGrant);
        OfGeneration<Evaluate>(OnEvaluate);
        OfGeneration<Judged>(OnJudged);
    }

    /// <inheritdoc/>
    protected override void ReleaseAll()
    {
    }

    private void OnGrant(Grant grant)
    {
        _unacknowledged.RemoveAll(step => step.Step <= grant.Judged);
        if (grant.UpToStep > _grantedStep)
        {
            _grantedStep = grant.UpToStep;
            _reportAtStep = _judgedStep + ((_grantedStep - _judgedStep) / 2);
            FeedSteps();
        }
        else if (_unacknowledged.Count > 0)
        {
            // It is granted again: a report was lost, or other replicas are slow.
            Job.Tell(new StepsJudged(Generation, _assignment.Replica, [.. _unacknowledged]));
        }
    }

    private void OnEvaluate(Evaluate evaluate)
    {
        if (_evaluated is { } answer && answer.AfterStep == evaluate.AfterStep && answer.Number == evaluate.Number)
        {
            Job.Tell(answer);
            return;
        }

        if (evaluate.AfterStep != _judgedStep || (_evaluation ?? _lastEvaluation)?.IsNewerThan(evaluate) == true)
        {
            return;
        }

        // Chunks of a second evaluation are counted on: what is late of the first one is none of it.
        var first = _lastEvaluation?.AfterStep == evaluate.AfterStep ? _lastEvaluation.NextChunk : 0;
        _evaluation = _lastEvaluation = new Evaluation(
            evaluate, first, Slices.OfReplica(_assignment.Data.Test!.Count, _assignment.Replicas, _assignment.Replica));
        FeedEvaluation();
    }

    // Said again, and late, it is known.
    private void OnJudged(Judged judged)
    {
        if (judged.Key.IsTraining)
        {
            if (judged.Key.Step == _judgedStep + 1)
            {
                _judgedStep = judged.Key.Step;
                _unreported.Add(new JudgedStep(judged.Key.Step, judged.LossSum, judged.Correct));
                Report();
                FeedSteps();
            }
        }
        else if (_evaluation is { } evaluation && evaluation.TryJudge(judged.Key))
        {
            if (evaluation.IsDone)
            {
                _evaluation = null;
                _evaluated = new Evaluated(
                    Generation,
                    evaluation.AfterStep,
                    evaluation.Number,
                    _assignment.Replica,
                    judged.LossSum,
                    judged.Correct);
                Job.Tell(_evaluated);
            }
            else
            {
                FeedEvaluation();
            }
        }
    }

    // Quick steps are told together, when half of what is granted is done: then the job grants more, and nobody waits for
    // it. Slow ones are told at once.
    private void Report()
    {
        var now = Context.System.Scheduler.MonotonicClock;
        if (_judgedStep < _reportAtStep && now - _reportedAt < _reportEvery)
        {
            return;
        }

        _reportedAt = now;
        _reportAtStep = _grantedStep;
        Job.Tell(new StepsJudged(Generation, _assignment.Replica, [.. _unreported]));
        _unacknowledged.AddRange(_unreported);
        _unreported.Clear();
    }

    private void FeedSteps()
    {
        while (_fedStep < _grantedStep && _fedStep == _judgedStep)
        {
            _fedStep++;
            FeedStep(_fedStep);
        }
    }

    private void FeedStep(long step)
    {
        var batch = _assignment.Plan.At(step);
        if (batch.Epoch != _orderEpoch)
        {
            _epochOrder.Fill(batch.Epoch, _order);
            _orderEpoch = batch.Epoch;
        }

        // Replicas that average parameters each follow the mean over their own examples.
        var slice = Slices.OfReplica(batch.Count, _assignment.Replicas, _assignment.Replica);
        for (var index = 0; index < _assignment.MicroBatches; index++)
        {
            var part = Slices.OfMicroBatch(slice, _assignment.MicroBatches, index);
            Feed(
                new MicroBatchKey(step, index, true),
                _assignment.Data.Train,
                _order.AsSpan(batch.Offset + part.Start, part.Length),
                part.Start,
                _assignment.Averaging is ParameterAveraging ? Math.Max(1, slice.Length) : batch.Count,
                index == _assignment.MicroBatches - 1);
        }
    }

    private void FeedEvaluation()
    {
        var evaluation = _evaluation!;
        Span<int> indices = stackalloc int[EvaluationChunk];
        while (evaluation.ChunksFed < evaluation.Chunks && evaluation.ChunksFed - evaluation.ChunksJudged < EvaluationWindow)
        {
            var start = evaluation.ChunksFed * EvaluationChunk;
            var length = Math.Min(EvaluationChunk, evaluation.Slice.Length - start);
            for (var i = 0; i < length; i++)
            {
                indices[i] = evaluation.Slice.Start + start + i;
            }

            Feed(
                new MicroBatchKey(evaluation.AfterStep, evaluation.FirstChunk + evaluation.ChunksFed, false),
                _assignment.Data.Test!,
                indices[..length],
                evaluation.Slice.Start + start,
                _assignment.Data.Test!.Count,
                evaluation.ChunksFed == evaluation.Chunks - 1);
            evaluation.ChunksFed++;
        }
    }

    private void Feed(
        MicroBatchKey key, Examples examples, ReadOnlySpan<int> indices, int firstPosition, int stepExamples, bool isLast)
    {
        var pool = _assignment.Workspace.Pool;
        var features = Tensor.Rent(pool, _assignment.Input.Stacked(indices.Length));
        var labels = Tensor.Rent(pool, new Shape(indices.Length), ElementType.Int32);
        examples.Gather(indices, _assignment.Data.Factor, features.Floats, labels.Integers);
        _links!.OtherEnd!.Tell(new Targets(Generation, key, _assignment.Replica, labels, stepExamples, isLast));
        for (var i = 0; i < _links.Forward.Length; i++)
        {
            var link = _links.Forward[i];
            var value = i == _links.Forward.Length - 1 ? features : features.Share();
            link.Target.Tell(new Activation(Generation, key, _assignment.Replica, link.Edge, firstPosition, value));
        }
    }

    private sealed class Evaluation(Evaluate order, int firstChunk, Slice slice)
    {
        public long AfterStep => order.AfterStep;

        public int Number => order.Number;

        public int FirstChunk => firstChunk;

        public Slice Slice => slice;

        // An empty slice still makes one empty chunk, whose answer says that the replica is done.
        public int Chunks { get; } = Math.Max(1, (slice.Length + EvaluationChunk - 1) / EvaluationChunk);

        public int NextChunk => FirstChunk + Chunks;

        public int ChunksFed { get; set; }

        public int ChunksJudged { get; private set; }

        public bool IsDone => ChunksJudged == Chunks;

        // Chunks are judged in their order, each with the sum of those before: an answer that is lost is made up for by the next.
        public bool TryJudge(MicroBatchKey key)
        {
            var judged = key.Index - FirstChunk + 1;
            if (key.Step != AfterStep || judged <= ChunksJudged || judged > ChunksFed)
            {
                return false;
            }

            ChunksJudged = judged;
            return true;
        }

        public bool IsNewerThan(Evaluate other) =>
            AfterStep > other.AfterStep || (AfterStep == other.AfterStep && Number >= other.Number);
    }
}
