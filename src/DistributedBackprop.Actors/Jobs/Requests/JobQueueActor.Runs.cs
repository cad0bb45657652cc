using Akka.Actor;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// The part of the queue that has jobs run for somebody in this process: they take the same way through table and journal as
/// all others, but begin at once, with what was read for them.
/// </summary>
internal sealed partial class JobQueueActor
{
    private readonly HashSet<string> _runHere = new(StringComparer.Ordinal);

    private void OnRun(RunRequest request)
    {
        var (id, sender) = (request.Run.Id, Sender);
        _changes.Add(
            () => Decide(request),
            decision =>
            {
                if (decision.Refusal is { } refusal)
                {
                    sender.Tell(new RequestRefused(refusal, decision.Reason));
                    return;
                }

                var record = RecordOf(_table.Find(id)!).Actor;
                record.Tell(new BeginRun(request.Run, Context.Parent, Wish: null) { Events = request.Events });
                sender.Tell(new RunBegun(record));
            });
    }

    private JobDecision Decide(RunRequest request)
    {
        var id = request.Run.Id;
        var isBegun = _runHere.Contains(id) || (_loading is not null && _table.Find(id) is { State: JobState.Running });
        var decision = isBegun
            ? JobDecision.Refused(Refusal.WrongState, $"job {id} is running")
            : _table.Process(new RunCommand(request.Submission, request.Run.IsForced));
        if (decision.Refusal is null)
        {
            _runHere.Add(id);
        }

        return decision;
    }
}
