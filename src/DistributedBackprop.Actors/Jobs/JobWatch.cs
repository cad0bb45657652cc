using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>What a job tells whoever watches it: every event once, and in any case its end.</summary>
/// <param name="watcher">Who watches.</param>
internal sealed class JobWatch(IActorRef watcher)
{
    private readonly ImmutableArray<GenerationStatistics>.Builder _statistics = ImmutableArray.CreateBuilder<GenerationStatistics>();
    private bool _isOver;

    /// <summary>Who watches.</summary>
    public IActorRef Watcher => watcher;

    /// <summary>Something happened.</summary>
    public void Tell(TrainingEvent happened) => watcher.Tell(new JobEvent(happened));

    /// <summary>A generation is over: the end tells what it did.</summary>
    public void Add(GenerationStatistics statistics) => _statistics.Add(statistics);

    /// <summary>The job is over.</summary>
    /// <param name="outcome">How it ended.</param>
    /// <param name="parameters">Its final parameters; taken.</param>
    public void TellOver(TrainingEvent outcome, ImmutableArray<Tensor> parameters)
    {
        _isOver = true;
        watcher.Tell(new JobOver(outcome, parameters, _statistics.ToImmutable()));
    }

    /// <summary>The job's actor has stopped: whoever watches hears of the end, if it has not been told yet.</summary>
    public void TellStopped(TrainingEvent outcome)
    {
        if (!_isOver)
        {
            TellOver(outcome, []);
        }
    }
}
