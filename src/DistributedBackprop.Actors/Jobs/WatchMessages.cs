using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>The job tells whoever watches it what happened.</summary>
/// <param name="Event">What.</param>
public sealed record JobEvent(TrainingEvent Event) : INoSerializationVerificationNeeded;

/// <summary>The last word of a job, after its actors are gone.</summary>
/// <param name="Event">Completed, failed, cancelled or paused.</param>
/// <param name="Parameters">
/// The final parameters in graph order where it completed, one vector for each layer, else none; the receiver owns them.
/// </param>
/// <param name="Generations">What its generations did, in their order.</param>
/// <param name="GoesOnFrom">Where it paused: what another actor of the job goes on from; the receiver owns it. Else null.</param>
public sealed record JobOver(
    TrainingEvent Event,
    ImmutableArray<Tensor> Parameters,
    ImmutableArray<GenerationStatistics> Generations,
    JobStart? GoesOnFrom = null) : INoSerializationVerificationNeeded
{
    /// <summary>Whether it has failed only because another version of the program has begun it: it goes on if it is forced.</summary>
    public bool NeedsForce { get; init; }

    /// <summary>Gives up what it carries, where nobody wants it.</summary>
    internal void GiveUp()
    {
        GoesOnFrom?.Dispose();
        foreach (var layer in Parameters)
        {
            layer.Dispose();
        }
    }
}

/// <summary>What does the job's newest checkpoint say? The answer is <see cref="NewestShared"/>.</summary>
public sealed record ShareNewest : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="ShareNewest"/>.</summary>
/// <param name="Step">After which step the checkpoint is.</param>
/// <param name="State">The state of all layers there, which the receiver owns; null before the first checkpoint.</param>
public sealed record NewestShared(long Step, TrainingState? State) : INoSerializationVerificationNeeded;

/// <summary>Whoever watches has taken in the events up to a step: the job may go some way beyond it.</summary>
/// <param name="Step">The last step taken in.</param>
public sealed record Watched(long Step) : INoSerializationVerificationNeeded;

/// <summary>
/// The job shall pause: it trains what is granted, saves its state there, and ends as paused. Without nodes it ends where its
/// newest checkpoint is.
/// </summary>
public sealed record PauseJob : INoSerializationVerificationNeeded;

/// <summary>The job shall stop: it trains what is granted and ends as cancelled.</summary>
public sealed record CancelJob : INoSerializationVerificationNeeded;
