using Akka.Actor;
using Akka.Persistence;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>What a job has trained, as it is kept; to whoever had it read.</summary>
/// <param name="Network">The network; null where there is none.</param>
/// <param name="Refused">Why there is none; null where the job has simply come to no checkpoint.</param>
internal sealed record NetworkRead(TrainedNetwork? Network, RequestRefused? Refused) : INoSerializationVerificationNeeded;

/// <summary>
/// Reads what a job has trained from its journal and the store, for its parent, and stops: (1) the journal, of which it
/// writes nothing, for somebody else may have it; (2) the state that the journal names last: the final weights, else the newest
/// checkpoint that is whole.
/// </summary>
internal sealed class WeightsReader : ReceivePersistentActor
{
    private readonly JobEntry _entry;
    private readonly IActorRef _store;
    private readonly Queue<(StateManifest Manifest, long Step)> _candidates = [];
    private JobHistory _history = JobHistory.Empty;
    private (TrainingJob Job, Graph Graph) _network;

    public WeightsReader(JobEntry entry, IActorRef store)
    {
        _entry = entry;
        _store = store;
        PersistenceId = JobJournalActor.IdOf(entry.JournalName);
        Recover<SnapshotOffer>(offer => _history = ((JobSummary)offer.Snapshot).History);
        Recover<JobRecord>(record => _history = _history.After(record));
        Command<StateLoaded>(OnLoaded);
        Command<StateDamaged>(damaged =>
        {
            _candidates.Dequeue();
            LoadNext(new RequestRefused(
                IsFinal ? Refusal.WrongState : Refusal.NotNow, $"the weights of job '{entry.Id}' are damaged: {damaged.Reason}"));
        });
        Command<StoreFailed>(failed => Refuse(Refusal.NotNow, $"the database does not answer: {failed.Reason}"));
    }

    /// <inheritdoc/>
    public override string PersistenceId { get; }

    private bool IsFinal => _history.Outcome is JobCompleted;

    /// <summary>How to make the actor.</summary>
    /// <param name="entry">Which job.</param>
    /// <param name="store">Keeps states.</param>
    public static Props Props(JobEntry entry, IActorRef store) => Akka.Actor.Props.Create(() => new WeightsReader(entry, store));

    /// <inheritdoc/>
    protected override void OnReplaySuccess()
    {
        base.OnReplaySuccess();
        if (JobFile.Parse(_entry.Submission.FileName, _entry.Submission.Document).Job is not { } job)
        {
            Refuse(Refusal.WrongState, $"the file of job '{_entry.Id}' is not valid any more: it was written for another version");
            return;
        }

        _network = (job, Graph.Of(job.Model, job.Seed));
        if (_history.Outcome is JobCompleted completed)
        {
            _candidates.Enqueue((completed.Weights, completed.Outcome.Steps));
        }
        else
        {
            foreach (var checkpoint in _history.Checkpoints.Reverse())
            {
                _candidates.Enqueue((ParametersOf(checkpoint.State), checkpoint.Step));
            }
        }

        LoadNext(null);
    }

    /// <inheritdoc/>
    protected override void OnRecoveryFailure(Exception reason, object? message = null) =>
        Refuse(Refusal.NotNow, $"the journal of job '{_entry.Id}' cannot be read: {reason?.Message}");

    private StateLayout Layout => JobRun.LayoutOf(_network.Job, _network.Graph).ParametersOnly;

    private StateManifest ParametersOf(StateManifest whole) => new(
        Layout.Hash, [.. whole.Chunks.Where(chunk => chunk.Vector.Slot == StateSlot.Parameters)]);

    private void LoadNext(RequestRefused? why)
    {
        if (_candidates.TryPeek(out var next))
        {
            _store.Tell(new LoadState(_entry.JournalName, next.Manifest, Layout) { RemovesDamaged = false });
        }
        else
        {
            Tell(new NetworkRead(null, why));
        }
    }

    private void OnLoaded(StateLoaded loaded)
    {
        using var state = loaded.State;
        var parameters = new FinalWeights(_network.Graph, state).Copies();
        Tell(new NetworkRead(
            new TrainedNetwork(_network.Job, _network.Graph, parameters, _candidates.Peek().Step, IsFinal), null));
    }

    private void Refuse(Refusal refusal, string reason) => Tell(new NetworkRead(null, new RequestRefused(refusal, reason)));

    private void Tell(NetworkRead read)
    {
        Context.Parent.Tell(read);
        Context.Stop(Self);
    }
}
