using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Server.Storage;

/// <summary>
/// The store of checkpoints, in a database. Writes and removals run one after the other, in the order in which they were
/// asked for; loads and probes beside them. None of them on the actor's thread, so nothing waits for a disk.
/// </summary>
internal sealed class CheckpointStoreActor : ReceiveActor
{
    /// <summary>The actor's name.</summary>
    public const string Name = "checkpoints";

    private readonly StateTables _tables;
    private readonly TensorPool _pool;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Queue<(IStoreRequest Request, IActorRef Sender)> _waiting = [];
    private Task? _prepared;
    private bool _isWriting;

    /// <summary>Makes the actor.</summary>
    /// <param name="database">Where states are kept.</param>
    /// <param name="pool">Lends the memory of states that are loaded.</param>
    public CheckpointStoreActor(JobDatabase database, TensorPool pool)
    {
        _tables = new StateTables(database);
        _pool = pool;
        Receive<LoadState>(load => Run(load, Sender));
        Receive<ProbeStore>(probe => Run(probe, Sender));
        Receive<IStoreRequest>(request =>
        {
            _waiting.Enqueue((request, Sender));
            RunNextWrite();
        });
        Receive<Done>(done =>
        {
            done.Sender.Tell(done.Answer);
            if (done.Request is not (LoadState or ProbeStore))
            {
                _isWriting = false;
                RunNextWrite();
            }
        });
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(JobDatabase database, TensorPool pool) =>
        Akka.Actor.Props.Create(() => new CheckpointStoreActor(database, pool));

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _stopping.Cancel();
        foreach (var (request, _) in _waiting)
        {
            GiveUp(request);
        }

        base.PostStop();
    }

    private static void GiveUp(IStoreRequest request)
    {
        if (request is WriteState write)
        {
            foreach (var range in write.Ranges)
            {
                range.Value.Dispose();
            }
        }
    }

    private void RunNextWrite()
    {
        if (!_isWriting && _waiting.TryDequeue(out var next))
        {
            _isWriting = true;
            Run(next.Request, next.Sender);
        }
    }

    private void Run(IStoreRequest request, IActorRef sender) =>
        Task.Run(() => AnswerAsync(request, _stopping.Token)).PipeTo(
            Self, success: answer => new Done(request, sender, answer));

    private async Task<object> AnswerAsync(IStoreRequest request, CancellationToken cancellation)
    {
        try
        {
            await PreparedAsync(cancellation);
            return request switch
            {
                WriteState write => await WriteAsync(write, cancellation),
                LoadState load => await LoadAsync(load, cancellation),
                KeepStates keep => new StatesKept(
                    keep.JobId, await _tables.KeepAsync(keep.JobId, keep.UpToWrite, keep.Keep, cancellation)),
                RemoveStates remove => await RemoveAsync(remove, cancellation),
                ProbeStore => await ProbeAsync(cancellation),
                _ => throw new NotSupportedException($"the store knows no {request.GetType().Name}"),
            };
        }
        catch (Exception e)
        {
            // Whatever it was: whoever asked must hear of it, and the next one gets its turn.
            return new StoreFailed(request, e.Message);
        }
        finally
        {
            GiveUp(request);
        }
    }

    // A database that is away at first is asked again with the next request.
    private Task PreparedAsync(CancellationToken cancellation)
    {
        lock (_tables)
        {
            if (_prepared is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _prepared = _tables.PrepareAsync(cancellation);
            }

            return _prepared;
        }
    }

    private async Task<object> WriteAsync(WriteState write, CancellationToken cancellation)
    {
        var (chunks, newBytes) = await _tables.WriteAsync(write.JobId, write.Write, write.Ranges, cancellation);
        return new StateWritten(write.JobId, write.Write, chunks, newBytes);
    }

    private async Task<object> LoadAsync(LoadState load, CancellationToken cancellation)
    {
        var (state, damage) = await _tables.ReadAsync(load, _pool, cancellation);
        return state is null
            ? new StateDamaged(load.JobId, load.Manifest, damage!)
            : new StateLoaded(load.JobId, load.Manifest, state);
    }

    private async Task<object> RemoveAsync(RemoveStates remove, CancellationToken cancellation)
    {
        await _tables.RemoveAsync(remove.JobId, cancellation);
        return new StatesRemoved(remove.JobId);
    }

    private async Task<object> ProbeAsync(CancellationToken cancellation)
    {
        await _tables.ProbeAsync(cancellation);
        return new StoreAnswers();
    }

    private sealed record Done(IStoreRequest Request, IActorRef Sender, object Answer) : INoSerializationVerificationNeeded;
}
