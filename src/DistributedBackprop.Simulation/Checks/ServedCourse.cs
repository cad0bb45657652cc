using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Services;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>
/// What a job of a queue tells its records, over all its runs: every run after a pause, a takeover or a crash tells its own
/// part of it.
/// </summary>
internal sealed class ServedCourse(SimulatedCluster cluster, ServedJob job)
{
    private readonly List<(TimeSpan Time, TrainingEvent Event)> _events = [];
    private readonly Dictionary<(int Host, string Run), ToldSession> _runs = [];

    /// <summary>All that was told, and when.</summary>
    public IReadOnlyList<(TimeSpan Time, TrainingEvent Event)> Events => _events;

    /// <summary>A message is handled.</summary>
    public void OnHandled(SentMessage sent)
    {
        if (sent.Message is not (JobEvent or JobOver)
            || !sent.Receiver.Contains("/queue/record-", StringComparison.Ordinal)
            || TracedPath.Of(sent.Sender) is not { } sender
            || sender.IndexOf(job.ActorName, StringComparison.Ordinal) is not (>= 0 and var at))
        {
            return;
        }

        var told = sent.Message is JobEvent happened ? happened.Event : ((JobOver)sent.Message).Event;
        var end = sender.IndexOf('/', at + 1);
        var run = (sent.Node.Ordinal, end < 0 ? sender : sender[..end]);
        if (!_runs.TryGetValue(run, out var session))
        {
            _runs.Add(run, session = new ToldSession());
        }

        session.Add(told, cluster.Disk, JobJournalActor.IdOf(job.Entry?.JournalName ?? job.Id));
        _events.Add((cluster.Loop.Now, told));
    }

    /// <summary>What of it differs from an undisturbed run.</summary>
    public IEnumerable<string> Problems(Expectation expected) =>
        _runs.Values.SelectMany(expected.ProblemsOf).Select(problem => $"{job.Id}: {problem}");
}
