using System.Globalization;

namespace DistributedBackprop.Training.Jobs.Table;

/// <summary>Where a job of the table stands.</summary>
public enum JobState
{
    /// <summary>In the queue.</summary>
    Waiting,

    /// <summary>It trains, or its data are being read.</summary>
    Running,

    /// <summary>Put aside until it is resumed.</summary>
    Paused,

    /// <summary>All of it is trained.</summary>
    Completed,

    /// <summary>It could not go on.</summary>
    Failed,

    /// <summary>It was ended.</summary>
    Cancelled,
}

/// <summary>What somebody wants of a job that runs, and that takes effect once the steps that were granted are trained.</summary>
public enum JobWish
{
    /// <summary>That it goes on.</summary>
    None,

    /// <summary>That it is put aside.</summary>
    Pause,

    /// <summary>That it ends.</summary>
    Cancel,
}

/// <summary>What was handed in.</summary>
/// <param name="Id">Names it for good; the client's.</param>
/// <param name="Name">The name that the job file gives it.</param>
/// <param name="Document">The job file's text.</param>
/// <param name="FileName">How errors call the file.</param>
/// <param name="DataRoot">The data root below which its files lie, by name.</param>
/// <param name="Threads">Threads that it can keep busy, ≥ 1: one for each stage of each replica.</param>
public sealed record JobSubmission(string Id, string Name, string Document, string FileName, string DataRoot, int Threads)
{
    /// <summary>The data root of a job whose data are where it was handed in, and nowhere else; no root has this name.</summary>
    public const string GivenData = "(given)";

    /// <summary>Why such a job is not begun by itself, for people.</summary>
    public const string WhyNotHere = "its data are where it was handed in: it goes on with 'backprop train'";

    /// <summary>Whether only whoever handed it in can run it (<see cref="RunCommand"/>).</summary>
    public bool IsGiven() => DataRoot == GivenData;

    /// <summary>Whether both ask for the same: then the second is the first, sent again.</summary>
    public bool AsksTheSame(JobSubmission other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Id == other.Id && Document == other.Document && DataRoot == other.DataRoot;
    }
}

/// <summary>A job of the table.</summary>
/// <param name="Submission">What was handed in.</param>
/// <param name="Number">Jobs handed in later have greater numbers.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Turn">Its turn among those that wait: the smaller comes first.</param>
public sealed record JobEntry(JobSubmission Submission, long Number, JobState State, long Turn)
{
    /// <summary>Its id.</summary>
    public string Id => Submission.Id;

    /// <summary>Names what is kept of it: another job that is given its id, once it is deleted, has another name.</summary>
    public string JournalName => string.Create(CultureInfo.InvariantCulture, $"{Id}.{Number}");

    /// <summary>What is wanted of it while it runs.</summary>
    public JobWish Wish { get; init; }

    /// <summary>The last step that it had trained when it last stood still or ended, ≥ 0.</summary>
    public long Step { get; init; }

    /// <summary>Why it is paused, for people, where nobody asked for it; else empty.</summary>
    public string WhyPaused { get; init; } = "";

    /// <summary>Whether it goes on, since it was resumed last, also where another version of the program has begun it.</summary>
    public bool IsForced { get; init; }

    /// <summary>How it ended; null before.</summary>
    public TrainingEvent? Outcome { get; init; }

    /// <summary>Whether it has ended for good.</summary>
    public bool IsOver => State is JobState.Completed or JobState.Failed or JobState.Cancelled;
}
