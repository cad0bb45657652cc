using Akka.Actor;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// The part of the queue that has jobs read before they run. What cannot be read ends a job that is new; one that has begun
/// is read again, after longer and longer pauses, until it can be, or is cancelled or paused: a disk that is away while a
/// coordinator starts is no reason to lose what was trained.
/// </summary>
internal sealed partial class JobQueueActor
{
    private const int MostDoublings = 6;

    private static readonly TimeSpan _firstPause = TimeSpan.FromSeconds(1);

    // Of jobs that have begun: how often they were not read, and why.
    private readonly Dictionary<string, (int Failures, string? Why)> _loads = new(StringComparer.Ordinal);

    private void Load(JobEntry entry, bool hasBegun = false)
    {
        if (_loading is null)
        {
            return;
        }

        if (hasBegun || entry.Step > 0)
        {
            _loads[entry.Id] = (0, null);
        }

        _loading.Load(entry.Submission, Self);
    }

    private void OnLoaded(JobLoaded loaded)
    {
        if (_table.Find(loaded.Id) is not { State: JobState.Running } entry)
        {
            return;
        }

        if (loaded.Run is { } run)
        {
            ForgetLoad(loaded.Id);

            // Also where it is to end at once: its own journal says where it stands.
            _records[loaded.Id].Actor.Tell(new BeginRun(
                run with { IsForced = entry.IsForced },
                Context.Parent,
                entry.Wish switch
                {
                    JobWish.Cancel => new CancelJob(),
                    JobWish.Pause => new PauseJob(),
                    _ => null,
                }));
        }
        else if (EndsUnread(entry, loaded.Reason!))
        {
            // Nobody wants it any more.
        }
        else if (!_loads.TryGetValue(loaded.Id, out var load))
        {
            OnOver(loaded.Id, new TrainingFailed(loaded.Id, 0, null, loaded.Reason!));
        }
        else
        {
            _loads[loaded.Id] = (load.Failures + 1, loaded.Reason);
            _records[loaded.Id].Actor.Tell(new Recorded(new TrainingWaits(MarkOf(entry).Step, WhyNotLoaded(entry)!)));
            Timers.StartSingleTimer(
                LoadTimer(loaded.Id), new LoadAgain(loaded.Id), _firstPause * (1 << Math.Min(load.Failures, MostDoublings)));
        }
    }

    private void OnLoadAgain(string id)
    {
        if (_table.Find(id) is { State: JobState.Running } entry && _loads.TryGetValue(id, out var load)
            && !EndsUnread(entry, load.Why ?? ""))
        {
            _loading!.Load(entry.Submission, Self);
        }
    }

    // Nobody waits for what cannot be read: what is wished of such a job is done at once, to where it stood.
    private bool EndsUnread(JobEntry entry, string why)
    {
        switch (entry.Wish)
        {
            case JobWish.Cancel:
                OnOver(entry.Id, new TrainingCancelled(entry.Id, MarkOf(entry).Step));
                return true;
            case JobWish.Pause:
                OnOver(entry.Id, new TrainingPaused(entry.Id, MarkOf(entry).Step), why);
                return true;
            default:
                return false;
        }
    }

    // Not here and now: a change of the table is being made.
    private void HurryLoad(string id)
    {
        if (Timers.IsTimerActive(LoadTimer(id)))
        {
            Timers.StartSingleTimer(LoadTimer(id), new LoadAgain(id), TimeSpan.Zero);
        }
    }

    private void ForgetLoad(string id)
    {
        if (_loads.Remove(id))
        {
            Timers.Cancel(LoadTimer(id));
        }
    }

    private string? WhyNotLoaded(JobEntry entry) => _loads.TryGetValue(entry.Id, out var load) && load.Why is { } why
        ? $"it cannot be read at present, and is tried again: {why}"
        : null;

    private static (string, string) LoadTimer(string id) => ("load", id);

    private sealed record LoadAgain(string Id) : INoSerializationVerificationNeeded;
}
