namespace DistributedBackprop.Actors.Transport;

/// <summary>What becomes of a frame that has arrived.</summary>
public enum Verdict
{
    /// <summary>Its generation lives here, and takes it.</summary>
    Deliver,

    /// <summary>It is late: of a generation that is over. Its payload is skipped.</summary>
    Drop,

    /// <summary>Nobody has prepared that generation here, or it is none of it: the connection is closed.</summary>
    Close,
}

/// <summary>
/// Which generations of which jobs a node takes frames of: one per job, and of jobs that are over it remembers how far
/// they got. Safe for any number of threads.
/// </summary>
public sealed class GenerationGate
{
    /// <summary>Jobs that are remembered after their end; a frame of one forgotten closes its connection.</summary>
    public const int MaxRetired = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Known> _jobs = [];
    private readonly Queue<ulong> _retired = new();

    /// <summary>From now on frames of this generation go to this receiver, and those of earlier ones are dropped.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A later generation has been here before.</exception>
    public void Prepare(ulong job, long generation, ITensorReceiver receiver)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        lock (_lock)
        {
            if (_jobs.TryGetValue(job, out var known) && generation < known.Generation)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(generation), generation, $"The job is at generation {known.Generation} already.");
            }

            _jobs[job] = new Known(generation, receiver);
        }
    }

    /// <summary>From now on frames up to this generation are dropped.</summary>
    public void Retire(ulong job, long generation)
    {
        lock (_lock)
        {
            if (_jobs.TryGetValue(job, out var known) && generation < known.Generation)
            {
                return;
            }

            _jobs[job] = new Known(generation, null);
            _retired.Enqueue(job);
            while (_retired.Count > MaxRetired)
            {
                var oldest = _retired.Dequeue();
                if (_jobs.TryGetValue(oldest, out var job0) && job0.Receiver is null && !_retired.Contains(oldest))
                {
                    _jobs.Remove(oldest);
                }
            }
        }
    }

    /// <summary>What becomes of a frame.</summary>
    /// <param name="header">Its name.</param>
    /// <param name="receiver">Who takes it, where it is to be delivered.</param>
    public Verdict Judge(in FrameHeader header, out ITensorReceiver? receiver)
    {
        lock (_lock)
        {
            receiver = null;
            if (!_jobs.TryGetValue(header.Job, out var known) || header.Generation > known.Generation)
            {
                return Verdict.Close;
            }

            if (header.Generation < known.Generation || known.Receiver is null)
            {
                return Verdict.Drop;
            }

            receiver = known.Receiver;
            return Verdict.Deliver;
        }
    }

    /// <summary>The generations that live here.</summary>
    internal List<GenerationKey> Living()
    {
        lock (_lock)
        {
            return
            [
                .. from job in _jobs
                   where job.Value.Receiver is not null
                   select new GenerationKey(job.Key, job.Value.Generation),
            ];
        }
    }

    /// <summary>Whether a generation lives here.</summary>
    internal bool IsLiving(GenerationKey generation)
    {
        lock (_lock)
        {
            return Find(generation) is not null;
        }
    }

    /// <summary>Takes note that a generation has lost a node.</summary>
    /// <returns>Who is to hear of it; null where the generation is over, or has heard of it.</returns>
    internal ITensorReceiver? TakeLoss(GenerationKey generation, string node)
    {
        lock (_lock)
        {
            return Find(generation) is { } known && known.Lost.Add(node) ? known.Receiver : null;
        }
    }

    private Known? Find(GenerationKey generation) =>
        _jobs.TryGetValue(generation.Job, out var known)
        && known.Generation == generation.Generation
        && known.Receiver is not null
            ? known
            : null;

    // Of a job: its latest generation, who takes its tensors while it lives, and the nodes that it has lost.
    private sealed class Known(long generation, ITensorReceiver? receiver)
    {
        public long Generation { get; } = generation;

        public ITensorReceiver? Receiver { get; } = receiver;

        public HashSet<string> Lost { get; } = [];
    }
}

/// <summary>A placement of a job.</summary>
/// <param name="Job">The job, as <see cref="JobHash"/> names it.</param>
/// <param name="Generation">Which placement.</param>
internal readonly record struct GenerationKey(ulong Job, long Generation);
