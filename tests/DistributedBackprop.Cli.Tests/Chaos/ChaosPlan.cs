namespace DistributedBackprop.Cli.Tests.Chaos;

/// <summary>What is done to a process.</summary>
internal enum Blow
{
    /// <summary>A worker is killed, and started anew.</summary>
    WorkerKilled,

    /// <summary>A worker stands still until the job has gone on without it.</summary>
    WorkerFrozen,

    /// <summary>A worker stands still for a moment: shorter than a step may take.</summary>
    WorkerHeld,

    /// <summary>The coordinator is killed, and started anew.</summary>
    CoordinatorKilled,

    /// <summary>The coordinator stands still for a moment.</summary>
    CoordinatorHeld,

    /// <summary>Who handed the job in is killed, and somebody else watches.</summary>
    ClientKilled,

    /// <summary>All processes of the database are killed, and it is started again.</summary>
    DatabaseKilled,

    /// <summary>The database stands still for a moment.</summary>
    DatabaseHeld,
}

/// <summary>A blow that falls once the job has come to a step.</summary>
internal sealed record PlannedBlow(Blow Blow, long Step, int Worker);

/// <summary>What happens to a job, chosen by a seed.</summary>
internal static class ChaosPlan
{
    /// <summary>Blows that fall in each plan: a process that stands still for a moment is none of them.</summary>
    public const int HardBlows = 3;

    /// <summary>Blows that end a process, or hold it up for longer than the others wait for it.</summary>
    public static IReadOnlyList<Blow> Hard { get; } =
        [Blow.WorkerKilled, Blow.WorkerFrozen, Blow.CoordinatorKilled, Blow.ClientKilled, Blow.DatabaseKilled];

    private static readonly Blow[] _held = [Blow.WorkerHeld, Blow.CoordinatorHeld, Blow.DatabaseHeld];

    /// <param name="seed">Chooses.</param>
    /// <param name="steps">The steps of the job; the blows fall within its first two thirds.</param>
    /// <param name="workers">How many workers there are.</param>
    public static IReadOnlyList<PlannedBlow> Of(int seed, long steps, int workers)
    {
        var random = new Random(seed);
        var blows = Hard.ToArray();
        random.Shuffle(blows);
        List<Blow> falling = [.. blows[..HardBlows]];
        if (random.Next(2) == 0)
        {
            falling.Insert(random.Next(falling.Count + 1), _held[random.Next(_held.Length)]);
        }

        var apart = steps * 2 / 3 / falling.Count;
        return [.. falling.Select((blow, i) => new PlannedBlow(blow, (i * apart) + 1 + random.NextInt64(apart / 2), random.Next(workers)))];
    }
}
