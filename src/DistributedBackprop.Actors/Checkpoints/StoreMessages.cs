using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Actors.Checkpoints;

/// <summary>
/// What is asked of the store of checkpoints: an actor, so that whoever asks starts no tasks and a simulation can put its own
/// in that place. Where it cannot do what it is asked the answer is <see cref="StoreFailed"/>.
/// <para>
/// A checkpoint is written, then committed in the job's journal, then what it replaces is removed:
/// <see cref="WriteState"/>, <see cref="StateWritten"/>, the event, <see cref="KeepStates"/>. Whatever happens between, every
/// committed checkpoint is whole.
/// </para>
/// </summary>
public interface IStoreRequest : INoSerializationVerificationNeeded
{
    /// <summary>Whose state it is.</summary>
    string JobId { get; }
}

/// <summary>
/// Keep this state, or this part of it, for good. The answer, when it is durable, is <see cref="StateWritten"/>.
/// </summary>
/// <param name="JobId">Whose state it is.</param>
/// <param name="Write">
/// Numbers the writes of a job; what is removed depends on it (<see cref="KeepStates"/>). It never decreases, over restarts
/// too, and increases with every commit: the journal's last sequence number is such a number.
/// </param>
/// <param name="Ranges">The state; the store owns the tensors, and nobody writes them any more.</param>
public sealed record WriteState(string JobId, long Write, ImmutableArray<StateRange> Ranges) : IStoreRequest;

/// <summary>The answer to <see cref="WriteState"/>: it is durable.</summary>
/// <param name="JobId">Whose state it is.</param>
/// <param name="Write">Which write.</param>
/// <param name="Chunks">What it is made of, for <see cref="StateManifest.Of"/>.</param>
/// <param name="NewBytes">Bytes that were not there before.</param>
public sealed record StateWritten(string JobId, long Write, ImmutableArray<StateChunk> Chunks, long NewBytes)
    : INoSerializationVerificationNeeded;

/// <summary>Give this state back. The answer is <see cref="StateLoaded"/> or <see cref="StateDamaged"/>.</summary>
/// <param name="JobId">Whose state it is.</param>
/// <param name="Manifest">What it is made of.</param>
/// <param name="Layout">What it must be made of.</param>
public sealed record LoadState(string JobId, StateManifest Manifest, StateLayout Layout) : IStoreRequest
{
    /// <summary>
    /// Whether pieces that are damaged or missing are removed, so that they can be written again. Only for whoever has the
    /// job's journal: a reader beside it may find missing what is just being written.
    /// </summary>
    public bool RemovesDamaged { get; init; } = true;
}

/// <summary>The answer to <see cref="LoadState"/>: every piece of it has the hash that it must have.</summary>
/// <param name="JobId">Whose state it is.</param>
/// <param name="Manifest">Which state.</param>
/// <param name="State">The state; the receiver owns it.</param>
public sealed record StateLoaded(string JobId, StateManifest Manifest, TrainingState State) : INoSerializationVerificationNeeded;

/// <summary>
/// The answer to <see cref="LoadState"/>: the state cannot be had any more, now or later. Pieces that were damaged are
/// removed where that was asked for, so that the same state can be written again.
/// </summary>
/// <param name="JobId">Whose state it is.</param>
/// <param name="Manifest">Which state.</param>
/// <param name="Reason">What is damaged or missing, for people.</param>
public sealed record StateDamaged(string JobId, StateManifest Manifest, string Reason) : INoSerializationVerificationNeeded;

/// <summary>
/// Remove what is not needed of a job: pieces of no state in <paramref name="Keep"/>, unless they belong to a write after
/// <paramref name="UpToWrite"/>, which may not be committed yet. The answer is <see cref="StatesKept"/>.
/// </summary>
/// <param name="JobId">Whose states they are.</param>
/// <param name="UpToWrite">The newest write that is committed, or given up.</param>
/// <param name="Keep">The states that are needed: <see cref="Journal.JobHistory.NeededStates"/>.</param>
public sealed record KeepStates(string JobId, long UpToWrite, ImmutableArray<StateManifest> Keep) : IStoreRequest;

/// <summary>The answer to <see cref="KeepStates"/>.</summary>
/// <param name="JobId">Whose states they are.</param>
/// <param name="Removed">How many pieces were removed.</param>
public sealed record StatesKept(string JobId, int Removed) : INoSerializationVerificationNeeded;

/// <summary>Remove all of a job, which is deleted. The answer is <see cref="StatesRemoved"/>.</summary>
/// <param name="JobId">Whose states they are.</param>
public sealed record RemoveStates(string JobId) : IStoreRequest;

/// <summary>The answer to <see cref="RemoveStates"/>.</summary>
/// <param name="JobId">Whose states they were.</param>
public sealed record StatesRemoved(string JobId) : INoSerializationVerificationNeeded;

/// <summary>
/// Is the database there? The answer is <see cref="StoreAnswers"/>. An actor that persists while it is not is stopped: ask
/// before, and wait.
/// </summary>
/// <param name="JobId">Who asks; any text.</param>
public sealed record ProbeStore(string JobId) : IStoreRequest;

/// <summary>The answer to <see cref="ProbeStore"/>: it is there.</summary>
public sealed record StoreAnswers : INoSerializationVerificationNeeded;

/// <summary>The store cannot do what it was asked now; asked again later it may. Tensors handed in are given up.</summary>
/// <param name="Request">What it was asked.</param>
/// <param name="Reason">Why not, for people.</param>
public sealed record StoreFailed(IStoreRequest Request, string Reason) : INoSerializationVerificationNeeded;
