namespace DistributedBackprop.Simulation.Checks;

/// <summary>
/// Sees to it that a run has as many faults as it is to have: where the job was over before, the seed is run again with shorter
/// times between them. So what a seed does is still its own.
/// </summary>
internal static class Gaps
{
    private const int Shorter = 4;
    private const int Attempts = 5;

    /// <summary>Runs a seed.</summary>
    /// <param name="least">So many faults are to take effect.</param>
    /// <param name="run">Runs it with times between faults that are so long, against what the scenario says.</param>
    /// <returns>The first run that is wrong, or has enough faults; else the last.</returns>
    public static SimulatedRun Fit(int least, Func<double, SimulatedRun> run)
    {
        var (gaps, done) = (1.0, run(1));
        for (var attempt = 1; attempt < Attempts && done.IsRight && done.Effective < least; attempt++)
        {
            gaps /= Shorter;
            done = run(gaps);
        }

        return done;
    }
}
