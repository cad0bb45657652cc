using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>What a job told whoever watches it, over all its runs; it survives the coordinator.</summary>
public sealed class JobCourse(SimulationLoop loop)
{
    private readonly List<(TimeSpan Time, TrainingEvent Event)> _events = [];

    /// <summary>What it told, and when.</summary>
    public IReadOnlyList<(TimeSpan Time, TrainingEvent Event)> Events => _events;

    /// <summary>The last step that was told.</summary>
    public long Step { get; private set; }

    /// <summary>Whole epochs that were told.</summary>
    public int Epochs { get; private set; }

    /// <summary>The last generation that has begun.</summary>
    public long Generation { get; private set; }

    /// <summary>How it ended; null while it runs or is paused.</summary>
    public TrainingEvent? Outcome { get; private set; }

    /// <summary>Whether it has paused, and not gone on yet.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>How often it was asked to pause.</summary>
    public int PausesAsked { get; internal set; }

    /// <summary>Called when it is handed in, again or for the first time: another process tells what follows, or another run.</summary>
    internal Action? SessionBegins { get; set; }

    /// <summary>Called with what is told.</summary>
    internal Action<TrainingEvent>? Told { get; set; }

    /// <summary>It is handed in, again or for the first time.</summary>
    internal void OnSubmitted()
    {
        IsPaused = false;
        SessionBegins?.Invoke();
    }

    /// <summary>Something happened.</summary>
    internal void Add(TrainingEvent happened)
    {
        Told?.Invoke(happened);
        _events.Add((loop.Now, happened));
        switch (happened)
        {
            case StepDone step:
                Step = Math.Max(Step, step.Step);
                break;
            case EpochDone epoch:
                Epochs = Math.Max(Epochs, epoch.Epoch);
                break;
            case GenerationStarted generation:
                Generation = Math.Max(Generation, generation.Generation);
                break;
        }
    }

    /// <summary>The job's actor has said its last word.</summary>
    internal void OnOver(JobOver over)
    {
        foreach (var layer in over.Parameters)
        {
            layer.Dispose();
        }

        Told?.Invoke(over.Event);
        _events.Add((loop.Now, over.Event));
        if (over.Event is TrainingPaused)
        {
            IsPaused = true;
            over.GoesOnFrom?.Dispose();
        }
        else
        {
            Outcome = over.Event;
        }
    }
}
