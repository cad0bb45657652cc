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
    private static readonly Blow[] _hard = [Blow.WorkerKilled, Blow.WorkerFrozen, Blow.CoordinatorKilled];

    /// <param name="seed">Chooses.</param>
    /// <param name="steps">The steps of the job; the blows fall within its first two thirds.</param>
    /// <param name="workers">How many workers there are.</param>
    public static IReadOnlyList<PlannedBlow> Of(int seed, long steps, int workers)
    {
        var random = new Random(seed);
        var blows = 3 + random.Next(2);
        var apart = steps * 2 / 3 / blows;
        var plan = Enumerable.Range(0, blows).Select(i => new PlannedBlow(
            (Blow)random.Next(Enum.GetValues<Blow>().Length), (i * apart) + 1 + random.NextInt64(apart / 2), random.Next(workers))).ToList();

        // One at least that can cost the job something.
        var hard = random.Next(blows);
        plan[hard] = plan[hard] with { Blow = _hard[random.Next(_hard.Length)] };
        return plan;
    }
}
