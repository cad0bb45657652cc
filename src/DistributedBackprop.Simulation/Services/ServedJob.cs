using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Simulation.Services;

/// <summary>A job that is handed in through a coordinator's queue, as its client knows it.</summary>
/// <param name="job">The job.</param>
public sealed class ServedJob(SimulatedJob job)
{
    /// <summary>The job.</summary>
    public SimulatedJob Job => job;

    /// <summary>What names it to the service.</summary>
    public string Id => job.Job.Name;

    /// <summary>Whether a coordinator has answered that it has the job: from then on it must come to an end.</summary>
    public bool IsAcknowledged { get; private set; }

    /// <summary>Whether its client wants it cancelled.</summary>
    public bool WasCancelled { get; private set; }

    /// <summary>Whether a coordinator has answered that it ends: then it must not complete.</summary>
    public bool IsCancelAcknowledged { get; private set; }

    /// <summary>How often its client has heard of a pause that it had asked for.</summary>
    public int PausesHeard { get; private set; }

    /// <summary>The job as its client last heard of it; null before.</summary>
    public JobEntry? Entry { get; private set; }

    /// <summary>The job as it was when it was over; null before.</summary>
    public JobEntry? Final { get; private set; }

    /// <summary>Where it stood when its client last heard of it; null before.</summary>
    public JobState? State { get; private set; }

    /// <summary>The last step of which its client has heard.</summary>
    public long Step { get; private set; }

    /// <summary>The last step that was told of it to whoever keeps its events: more than its client has heard.</summary>
    public long Trained { get; private set; }

    /// <summary>The hash of its weights; null where it has not completed.</summary>
    public string? WeightsSha256 => (Final?.Outcome as TrainingCompleted)?.WeightsSha256;

    /// <summary>What its client wants of it, and has not been answered yet; null for nothing.</summary>
    internal JobCommand? Wish { get; private set; }

    /// <summary>Whether it is to stand still.</summary>
    internal bool IsHeld { get; private set; }

    /// <summary>What the names of its actors begin with.</summary>
    internal string ActorName { get; } = FormattableString.Invariant($"/{JobHash.Of(job.Job.Name):x16}-");

    /// <summary>What its client was told and should not have been.</summary>
    internal List<string> Problems { get; } = [];

    /// <summary>What the client asks next.</summary>
    internal JobCommand? Next => IsAcknowledged ? Wish : new SubmitCommand(Submission);

    private bool _wasHeld;

    private JobSubmission Submission { get; } = new(
        job.Job.Name,
        job.Job.Name,
        CanonicalForm.Of(job.Job),
        $"{job.Job.Name}.json",
        "data",
        job.Job.Parallelism.Replicas * job.Job.Parallelism.Stages);

    /// <summary>A step of it is told.</summary>
    internal void OnTrained(long step) => Trained = Math.Max(Trained, step);

    /// <summary>It is to stand still, or to go on.</summary>
    internal void Hold(bool isHeld)
    {
        IsHeld = isHeld;
        _wasHeld |= isHeld;
        if (!WasCancelled)
        {
            Wish = isHeld ? new PauseCommand(Id) : new ResumeCommand(Id);
        }
    }

    /// <summary>It is to end.</summary>
    internal void Cancel()
    {
        WasCancelled = true;
        Wish = new CancelCommand(Id);
    }

    /// <summary>The client is answered where the job stands.</summary>
    /// <param name="asked">What it had asked; null for nothing but where it stands.</param>
    /// <param name="entry">The job.</param>
    /// <param name="step">How far it has come.</param>
    internal void OnStatus(JobCommand? asked, JobEntry entry, long step)
    {
        IsAcknowledged = true;
        State = entry.State;
        Entry = entry;
        IsCancelAcknowledged |= entry.State == JobState.Cancelled || entry.Wish == JobWish.Cancel;
        PausesHeard += asked is PauseCommand && (entry.State == JobState.Paused || entry.Wish == JobWish.Pause) ? 1 : 0;
        if (entry.State == JobState.Paused && !_wasHeld)
        {
            Problems.Add($"{Id} is paused, and nobody has asked for it ({entry.WhyPaused})");
        }

        Step = Math.Max(Step, step);
        if (ReferenceEquals(asked, Wish))
        {
            Wish = null;
        }

        // A pause that was asked twice may come once more, after it was taken back.
        if (entry.State == JobState.Paused && !IsHeld)
        {
            Wish ??= new ResumeCommand(Id);
        }

        if (entry.IsOver)
        {
            OnFinal(entry);
        }
    }

    /// <summary>The client's question is refused.</summary>
    internal void OnRefused(JobCommand? asked, Refusal refusal, string reason)
    {
        switch (refusal)
        {
            case Refusal.NotNow or Refusal.NotFound:
                break;
            case Refusal.WrongState when asked is PauseCommand or ResumeCommand or CancelCommand:
                // It is over, or about to end or to pause: where it stands then says what is left to want.
                Wish = ReferenceEquals(asked, Wish) ? null : Wish;
                break;
            default:
                Problems.Add($"{asked?.GetType().Name ?? "a question"} about {Id} was refused: {refusal} ({reason})");
                break;
        }
    }

    private void OnFinal(JobEntry entry)
    {
        if (Final is { } before && (before.State != entry.State || before.Outcome != entry.Outcome))
        {
            Problems.Add($"{Id} was {before.State} ({before.Outcome}), and then {entry.State} ({entry.Outcome})");
        }

        Final = entry;
        Wish = null;
    }
}
