using Akka.Actor;
using Akka.Persistence;

namespace DistributedBackprop.Server.Tests.CrashPoints;

/// <summary>
/// Stands before the real journal, and dies as planned: a write is not made, or it is made and nobody hears of it; and no later
/// one is made. Made by Akka.
/// </summary>
internal sealed class CrashingJournal : ReceiveActor
{
    private readonly Queue<Write> _underWay = [];

    public CrashingJournal()
    {
        var plan = CrashPlan.Of(Context.System.Name);
        var journal = Persistence.Instance.Apply(Context.System).JournalFor("akka.persistence.journal.sql");
        ReceiveAny(message =>
        {
            switch (message)
            {
                case var _ when plan.Crashed.IsCompleted:
                    break;
                case WriteMessages write:
                    if (plan.Passes())
                    {
                        _underWay.Enqueue(new Write(write.PersistentActor, write.Messages.Sum(one => one is AtomicWrite all ? all.Size : 1)));
                        journal.Tell(new WriteMessages(write.Messages, Self, write.ActorInstanceId));
                    }

                    break;
                case WriteMessagesSuccessful:
                    if (plan.Passes())
                    {
                        _underWay.Peek().Asker.Tell(message, Sender);
                    }

                    break;
                case WriteMessagesFailed:
                    _underWay.Peek().Asker.Tell(message, Sender);
                    break;
                case WriteMessageSuccess or WriteMessageFailure or WriteMessageRejected:
                    Pass(message);
                    break;
                default:
                    if (message is ReplayMessages replay)
                    {
                        plan.OnRead(replay.PersistenceId, replay.FromSequenceNr);
                    }

                    journal.Forward(message);
                    break;
            }
        });
    }

    // Answers come write by write, in the order of the writes.
    private void Pass(object answer)
    {
        var write = _underWay.Peek();
        write.Asker.Tell(answer, Sender);
        write.Left--;
        if (write.Left == 0)
        {
            _underWay.Dequeue();
        }
    }

    private sealed class Write(IActorRef asker, int left)
    {
        public IActorRef Asker { get; } = asker;

        public int Left { get; set; } = left;
    }
}
