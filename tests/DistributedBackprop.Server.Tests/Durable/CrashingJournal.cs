using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Persistence;

namespace DistributedBackprop.Server.Tests.Durable;

/// <summary>When a process dies: at one of the writes of its journals.</summary>
/// <param name="atWrite">Which, from 1; 0: never.</param>
/// <param name="isAfter">Whether the write is durable by then.</param>
public sealed class CrashPlan(int atWrite = 0, bool isAfter = false)
{
    private readonly TaskCompletionSource _crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writes;

    /// <summary>Whether the write is durable by then.</summary>
    public bool IsAfter => isAfter;

    /// <summary>Writes so far.</summary>
    public int Writes => _writes;

    /// <summary>Completes when the process is dead: whatever it does after that, nobody hears of it.</summary>
    public Task Crashed => _crashed.Task;

    /// <summary>Whether this is the write.</summary>
    public bool IsNow() => Interlocked.Increment(ref _writes) == atWrite;

    /// <summary>It is dead.</summary>
    public void Crash() => _crashed.TrySetResult();
}

/// <summary>
/// The journal in front of the real one: from some write on the process is as good as dead. That write is not made, or it is
/// made and nobody hears of it; and no later one is made.
/// </summary>
public sealed class CrashingJournal : ReceiveActor
{
    private bool _isDead;

    public CrashingJournal()
    {
        var plan = Plans[Context.System.Name];
        var journal = Persistence.Instance.Apply(Context.System).JournalFor("akka.persistence.journal.sql");
        Receive<WriteMessages>(write =>
        {
            if (_isDead)
            {
                return;
            }

            if (!plan.IsNow())
            {
                journal.Forward(write);
                return;
            }

            _isDead = true;
            if (plan.IsAfter)
            {
                journal.Tell(new WriteMessages(write.Messages, Self, write.ActorInstanceId));
            }
            else
            {
                plan.Crash();
            }
        });
        Receive<WriteMessageSuccess>(_ => plan.Crash());
        Receive<WriteMessagesSuccessful>(_ => { });
        ReceiveAny(message =>
        {
            if (!_isDead)
            {
                journal.Forward(message);
            }
        });
    }

    /// <summary>By the names of actor systems.</summary>
    public static ConcurrentDictionary<string, CrashPlan> Plans { get; } = new();
}
