using Akka.Actor;
using DistributedBackprop.Actors.Journal;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// What a job has to have in its journal before it goes on: each record with what follows once it is durable, in order.
/// Without a journal everything follows at once.
/// </summary>
/// <param name="journal">Who keeps them; null for nobody.</param>
/// <param name="job">The job's actor, which is answered.</param>
internal sealed class JobRecords(IActorRef? journal, IActorRef job)
{
    private readonly Queue<Action> _following = new();

    /// <summary>Whether something is not durable yet.</summary>
    public bool IsKeeping => _following.Count > 0;

    /// <summary>Has a record kept.</summary>
    /// <param name="record">What happened.</param>
    /// <param name="then">What follows.</param>
    public void Keep(JobRecord record, Action then) => Tell(new KeepRecord(record), then);

    /// <summary>Has the end and the weights kept.</summary>
    /// <param name="completion">Made only where there is a journal.</param>
    /// <param name="then">What follows.</param>
    public void Keep(Func<KeepCompletion> completion, Action then)
    {
        if (journal is null)
        {
            then();
        }
        else
        {
            Tell(completion(), then);
        }
    }

    /// <summary>The first of those that are not durable yet is.</summary>
    public void OnKept() => _following.Dequeue()();

    private void Tell(object request, Action then)
    {
        if (journal is null)
        {
            then();
            return;
        }

        _following.Enqueue(then);
        journal.Tell(request, job);
    }
}
