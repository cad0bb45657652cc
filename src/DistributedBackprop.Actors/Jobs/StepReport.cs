namespace DistributedBackprop.Actors.Jobs;

/// <summary>Adds up the steps that are judged together: quick ones are reported in one message.</summary>
internal struct StepReport
{
    private int _steps;
    private long _examples;
    private double _seconds;
    private double _loss;

    /// <summary>One more step.</summary>
    /// <param name="examples">How many it took.</param>
    /// <param name="rate">Examples per second since the step before; 0 where no time has passed.</param>
    /// <param name="loss">Its loss.</param>
    public void Add(int examples, double rate, double loss)
    {
        _steps++;
        _examples += examples;
        _seconds += rate > 0 ? examples / rate : 0;
        _loss = loss;
    }

    /// <summary>What those who measure hear.</summary>
    public readonly StepsTrained SignalOf(string jobId, long lastStep) => new(jobId, lastStep, _steps, _examples, _seconds, _loss);
}
