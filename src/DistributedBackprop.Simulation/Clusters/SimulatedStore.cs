using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// The store of checkpoints on a simulated disk. A state is written piece by piece: a process that is killed meanwhile
/// leaves some of them.
/// </summary>
internal sealed class SimulatedStore : ReceiveActor, IWithTimers
{
    private const int Portions = 3;

    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(100);

    private readonly SimulatedDisk _disk;
    private readonly KeyedGenerator _draws;
    private readonly TensorPool _pool;
    private readonly Queue<Work> _waiting = [];
    private bool _isBusy;

    public SimulatedStore(SimulatedDisk disk, KeyedGenerator draws, TensorPool pool)
    {
        (_disk, _draws, _pool) = (disk, draws, pool);
        Receive<IStoreRequest>(request =>
        {
            _waiting.Enqueue(new Work(request, Sender));
            Next();
        });
        Receive<Work>(Do);
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <inheritdoc/>
    protected override void PostStop()
    {
        foreach (var work in _waiting)
        {
            GiveUp(work.Request);
        }

        base.PostStop();
    }

    private void Next()
    {
        if (!_isBusy && _waiting.TryDequeue(out var work))
        {
            _isBusy = true;
            After(work);
        }
    }

    private void After(Work work) => Timers.StartSingleTimer(
        work, work, _disk.Feels(_disk.IsAway, nameof(_disk.IsAway)) ? _again : _draws.Between(TimeSpan.FromTicks(1), _disk.Delay()) / Portions);

    private void Do(Work work)
    {
        if (_disk.IsAway)
        {
            After(work);
            return;
        }

        if (work.Request is WriteState write && work.Portion < Portions && !_disk.Fails && !IsTorn(work))
        {
            Write(write, work);
            work.Portion++;
            After(work);
            return;
        }

        work.Asker.Tell(WhyNot(work) is { } why ? new StoreFailed(work.Request, why) : Answer(work));
        GiveUp(work.Request);
        _isBusy = false;
        Next();
    }

    private bool IsTorn(Work work) => _disk.Feels(_disk.Tears && work.Portion > 0, nameof(_disk.Tears));

    // A write whose answer is lost is done.
    private string? WhyNot(Work work)
    {
        if (_disk.Feels(_disk.Fails, nameof(_disk.Fails)))
        {
            return "the simulated disk fails";
        }

        if (work.Request is WriteState && work.Portion < Portions)
        {
            return "the simulated disk breaks a write off";
        }

        if (work.Request is WriteState or KeepStates or RemoveStates && _disk.Feels(_disk.LosesAnswers && _draws.Chance(0.5), nameof(_disk.LosesAnswers)))
        {
            _ = Answer(work);
            return "the connection to the simulated disk is lost";
        }

        return null;
    }

    private void Write(WriteState write, Work work)
    {
        var pieces = write.Ranges
            .SelectMany(range => StateChunk.Cut(range.Start, range.Value.Length).Select(piece => (range, piece.Start, piece.Length)))
            .ToList();
        foreach (var (range, start, length) in pieces.Where((_, number) => number % Portions == work.Portion))
        {
            var content = range.Value.Bytes.Slice((start - range.Start) * sizeof(float), length * sizeof(float)).ToArray();
            var chunk = new StateChunk(range.Vector, start, length, ContentHash.Of(content));
            _disk.Put(write.JobId, chunk.Hash, write.Write, content);
            work.Chunks.Add(chunk);
        }
    }

    private object Answer(Work work)
    {
        switch (work.Request)
        {
            case WriteState write:
                return new StateWritten(write.JobId, write.Write, work.Chunks.ToImmutable(), work.Chunks.Sum(chunk => chunk.Bytes));
            case LoadState load:
                return Load(load);
            case KeepStates keep:
                var needed = keep.Keep.SelectMany(manifest => manifest.Chunks).Select(chunk => chunk.Hash).ToHashSet();
                return new StatesKept(keep.JobId, _disk.Keep(keep.JobId, keep.UpToWrite, needed));
            case RemoveStates remove:
                _disk.Keep(remove.JobId, long.MaxValue, []);
                return new StatesRemoved(remove.JobId);
            default:
                return new StoreAnswers();
        }
    }

    private object Load(LoadState load)
    {
        using var stored = new StoredState(load.Manifest, load.Layout, _pool);
        var bad = new List<ContentHash>();
        foreach (var hash in stored.Missing.ToList())
        {
            if (_disk.Get(load.JobId, hash) is { } content && content.Length == stored.MemoryOf(hash).Length)
            {
                content.CopyTo(stored.MemoryOf(hash));
                if (stored.TryAccept(hash))
                {
                    continue;
                }
            }

            bad.Add(hash);
        }

        if (bad.Count == 0)
        {
            return new StateLoaded(load.JobId, load.Manifest, stored.Take());
        }

        if (load.RemovesDamaged)
        {
            bad.ForEach(hash => _disk.Erase(load.JobId, hash));
        }

        return new StateDamaged(load.JobId, load.Manifest, $"{bad.Count} pieces are damaged or missing");
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

    private sealed class Work(IStoreRequest request, IActorRef asker) : INoSerializationVerificationNeeded
    {
        public IStoreRequest Request { get; } = request;

        public IActorRef Asker { get; } = asker;

        public ImmutableArray<StateChunk>.Builder Chunks { get; } = ImmutableArray.CreateBuilder<StateChunk>();

        public int Portion { get; set; }
    }
}
