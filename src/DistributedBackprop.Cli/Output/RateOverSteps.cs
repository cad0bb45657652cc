namespace DistributedBackprop.Cli.Output;

/// <summary>
/// Examples per second over the steps since it was last asked. Steps are told in bursts, so the rate of a single one says
/// little.
/// </summary>
internal sealed class RateOverSteps
{
    private long _examples;
    private double _seconds;

    /// <summary>Adds a step.</summary>
    /// <param name="examples">Its examples.</param>
    /// <param name="samplesPerSecond">Its rate; 0 where no time has passed.</param>
    public void Add(int examples, double samplesPerSecond)
    {
        _examples += examples;
        _seconds += samplesPerSecond > 0 ? examples / samplesPerSecond : 0;
    }

    /// <summary>The rate since the last call; 0 where no time has passed.</summary>
    public double Take()
    {
        var rate = _seconds > 0 ? _examples / _seconds : 0;
        (_examples, _seconds) = (0, 0);
        return rate;
    }
}
