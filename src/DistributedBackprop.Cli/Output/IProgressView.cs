using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Output;

/// <summary>How far a run has come, for people.</summary>
internal interface IProgressView : IDisposable
{
    void On(StepDone step);

    void On(EpochDone epoch);
}
