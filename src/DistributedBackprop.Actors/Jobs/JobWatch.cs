using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// What a job tells whoever watches it: every event once, whatever is computed again, and its end.
/// </summary>
/// <param name="watcher">Who watches.</param>
/// <param name="toldStep">The last step that was told before; its epochs were, too.</param>
/// <param name="toldEpochs">The epochs that were told before.</param>
/// <param name="lastEvent">The number of the last event that was told before.</param>
internal sealed class JobWatch(IActorRef watcher, long toldStep, int toldEpochs, long lastEvent)
{
    private readonly ImmutableArray<GenerationStatistics>.Builder _statistics = ImmutableArray.CreateBuilder<GenerationStatistics>();
    private readonly Queue<TrainingEvent> _behind = [];
    private EpochDone? _announced;
    private long _lastEvent = lastEvent;

    /// <summary>Who watches.</summary>
    public IActorRef Watcher => watcher;

    /// <summary>The last step that was told.</summary>
    public long ToldStep { get; private set; } = toldStep;

    /// <summary>The epochs that were told.</summary>
    public int ToldEpochs { get; private set; } = toldEpochs;

    /// <summary>
    /// An epoch will be told next, once it is persisted with this number: what is told until then comes after it.
    /// </summary>
    public long Announce(EpochDone epoch)
    {
        _announced = epoch;
        return _lastEvent + 1;
    }

    /// <summary>Something happened.</summary>
    public void Tell(TrainingEvent happened)
    {
        if (_announced is not null && !ReferenceEquals(happened, _announced))
        {
            _behind.Enqueue(happened);
            return;
        }

        _announced = null;
        if (IsNews(happened))
        {
            _lastEvent++;
            watcher.Tell(new JobEvent(happened));
        }

        while (_announced is null && _behind.TryDequeue(out var next))
        {
            Tell(next);
        }
    }

    /// <summary>A generation is over: the end tells what it did.</summary>
    public void Add(GenerationStatistics statistics) => _statistics.Add(statistics);

    /// <summary>The job is over.</summary>
    /// <param name="outcome">How it ended.</param>
    /// <param name="parameters">Its final parameters; taken.</param>
    /// <param name="goesOnFrom">Where it can go on; taken.</param>
    public void TellOver(TrainingEvent outcome, ImmutableArray<Tensor> parameters, JobStart? goesOnFrom = null) =>
        watcher.Tell(new JobOver(outcome, parameters, _statistics.ToImmutable(), goesOnFrom));

    private bool IsNews(TrainingEvent happened)
    {
        switch (happened)
        {
            case StepDone step when step.Step <= ToldStep:
            case EpochDone epoch when epoch.Epoch <= ToldEpochs:
                return false;
            case StepDone step:
                ToldStep = step.Step;
                return true;
            case EpochDone epoch:
                ToldEpochs = epoch.Epoch;
                return true;
            default:
                return true;
        }
    }
}
