using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// The part of a job's record that tells what the job has trained: the weights that it completed with, else its newest
/// checkpoint. Whoever has them in memory is asked first: this actor, the job's; then they are read from where they are kept.
/// Those who ask while somebody is asked for them wait for the same answer.
/// </summary>
internal sealed partial class JobRecordActor
{
    private readonly List<(IActorRef Asker, NetworkRequest Request)> _askers = [];
    private (TrainingJob Job, Graph Graph)? _network;
    private (ImmutableArray<float[]> Parameters, long Step)? _weights;
    private IActorRef? _asked;

    private void ReceiveNetworkRequests()
    {
        Receive<NetworkRequest>(request =>
        {
            _askers.Add((Sender, request));
            if (_asked is null)
            {
                FindNetwork();
            }
        });
        Receive<NewestShared>(OnShared);
        Receive<StoreAnswers>(
            _ => _asked = Context.Watch(Context.ActorOf(WeightsReader.Props(_entry, _storage!.Store))),
            _ => IsAsked(_storage?.Store));
        Receive<StoreFailed>(
            failed => Refuse($"the database does not answer: {failed.Reason}"), _ => IsAsked(_storage?.Store));
        Receive<NetworkRead>(
            read =>
            {
                if (read.Network is { IsFinal: true } final)
                {
                    Keep(final.Job, final.Graph, final.Parameters, final.Step);
                }

                Answer(read.Network, read.Refused ?? NothingYet());
            },
            _ => IsAsked(Sender));
        Receive<Terminated>(_ => Refuse($"the weights of job '{_id}' could not be read"), gone => IsAsked(gone.ActorRef));

        // Of somebody who was asked before.
        Receive<StoreAnswers>(_ => { });
        Receive<StoreFailed>(_ => { });
        Receive<NetworkRead>(_ => { });
        Receive<Terminated>(_ => { });
        Receive<ForgetWeights>(_ => _weights = null);
    }

    private void FindNetwork()
    {
        if (_weights is { } weights && _network is { } network)
        {
            Answer(new TrainedNetwork(network.Job, network.Graph, weights.Parameters, weights.Step, IsFinal: true), null);
        }
        else if (_job is { } job)
        {
            _asked = job;
            job.Tell(new ShareNewest());
        }
        else if (_goesOnFrom is { State: { } state } paused && _network is { } known)
        {
            Answer(
                new TrainedNetwork(known.Job, known.Graph, new FinalWeights(known.Graph, state).Copies(), paused.Progress.Step, IsFinal: false),
                null);
        }
        else
        {
            ReadNetwork();
        }
    }

    private void ReadNetwork()
    {
        if (_storage is { } storage)
        {
            // Whoever reads a journal while the database is away has the plugin refuse everybody for a while.
            _asked = storage.Store;
            storage.Store.Tell(new ProbeStore(_id));
        }
        else
        {
            Answer(null, NothingYet());
        }
    }

    private void OnShared(NewestShared shared)
    {
        using var state = shared.State;
        if (!IsAsked(_job))
        {
            return;
        }

        if (state is not null && _network is { } network)
        {
            Answer(
                new TrainedNetwork(network.Job, network.Graph, new FinalWeights(network.Graph, state).Copies(), shared.Step, IsFinal: false),
                null);
        }
        else
        {
            ReadNetwork();
        }
    }

    private bool IsAsked(IActorRef? somebody) => _asked is not null && _asked.Equals(somebody);

    // The job is over, or has lost its journal, and may not have answered.
    private void AskAgainInsteadOf(IActorRef? job)
    {
        if (IsAsked(job))
        {
            FindNetwork();
        }
    }

    private RequestRefused NothingYet() => new(
        Refusal.WrongState,
        $"job '{_id}' has no weights: it has neither completed nor a checkpoint, or they were not kept");

    private void Refuse(string reason) => Answer(null, new RequestRefused(Refusal.NotNow, reason));

    private void Answer(TrainedNetwork? network, RequestRefused? refused)
    {
        _asked = null;
        foreach (var (asker, request) in _askers)
        {
            asker.Tell(
                network is null ? refused!
                : request.IsFinal && !network.IsFinal ? new RequestRefused(Refusal.WrongState, $"job '{_id}' has not completed")
                : network);
        }

        _askers.Clear();
    }

    // The weights leave the pool: nobody knows how long they are wanted.
    private void Hold(JobOver over)
    {
        if (over.Event is TrainingCompleted completed && _network is { } network)
        {
            Keep(network.Job, network.Graph, [.. over.Parameters.Select(layer => layer.Floats.ToArray())], completed.Steps);
        }

        // What a paused job goes on from stays with this actor.
        (over with { GoesOnFrom = null }).GiveUp();
    }

    private void Keep(TrainingJob job, Graph graph, ImmutableArray<float[]> parameters, long step)
    {
        _network = (job, graph);
        _weights = (parameters, step);
        Context.Parent.Tell(new WeightsHeld(_id, parameters.Sum(layer => (long)layer.Length * sizeof(float))));
    }
}
