using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Server.Storage;

namespace DistributedBackprop.Server.Tests.Storage;

/// <summary>What a journal has taken comes back after a restart; two writers of one journal are found out.</summary>
[Collection(StorageCollection.Name)]
public sealed class JournalPluginTests(Databases databases)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task Events_come_back_after_a_restart(string kind)
    {
        var database = databases.New(kind);
        JobRecord[] records = [new JobTookOver(1), new JobFailed(7, "dense1", "ä\n\"'"), new JobCancelled(long.MaxValue)];
        await WithJournalAsync(database, async actor =>
        {
            (await actor.Ask<Replayed>("replayed", _patience)).Records.ShouldBeEmpty();
            foreach (var record in records)
            {
                await actor.Ask<string>(record, _patience);
            }
        });
        await WithJournalAsync(database, async actor =>
            (await actor.Ask<Replayed>("replayed", _patience)).Records.ShouldBe(records));
    }

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task The_second_of_two_writers_fails(string kind)
    {
        var database = databases.New(kind);
        await WithJournalAsync(database, async first => await WithJournalAsync(database, async second =>
        {
            // Both have recovered at the same number.
            await first.Ask<Replayed>("replayed", _patience);
            await second.Ask<Replayed>("replayed", _patience);
            await first.Ask<string>(new JobTookOver(1), _patience);
            (await second.Ask<string>(new JobTookOver(1), _patience)).ShouldBe("not persisted");
            (await first.Ask<string>(new JobPlaced(1, ""), _patience)).ShouldBe("persisted");
        }));
        await WithJournalAsync(database, async actor =>
            (await actor.Ask<Replayed>("replayed", _patience)).Records.ShouldBe([new JobTookOver(1), new JobPlaced(1, "")]));
    }

    [SkippableTheory]
    [InlineData("SQLite", "UPDATE journal SET message = zeroblob(20)")]
    [InlineData("PostgreSQL", "UPDATE journal SET message = set_byte(message, 17, 99)")]
    [InlineData("SQLite", "UPDATE journal SET manifest = 'job-took-over-2'")]
    [InlineData("PostgreSQL", "UPDATE journal SET manifest = 'job-took-over-2'")]
    public async Task A_row_that_cannot_be_read_ends_the_recovery(string kind, string damage)
    {
        var database = databases.New(kind);
        await WithJournalAsync(database, async actor => await actor.Ask<string>(new JobTookOver(1), _patience));
        using (var connection = database.JournalConnection())
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = damage;
            command.ExecuteNonQuery().ShouldBe(1);
        }

        await WithJournalAsync(database, async actor =>
            (await actor.Ask<object>("replayed", _patience)).ShouldBeOfType<Unreadable>().Reason.ShouldContain("job-took-over-"));
    }

    [Fact]
    public async Task A_forgotten_plugin_is_refused_at_the_start()
    {
        using var system = ActorSystem.Create("forgetful", JournalSerializer.Hocon);
        Should.Throw<StorageException>(() => JournalPlugin.Require(system)).Message
            .ShouldStartWith("akka.persistence.journal.plugin must be akka.persistence.journal.sql (was '");
        await system.Terminate();
    }

    private static async Task WithJournalAsync(JobDatabase database, Func<IActorRef, Task> use)
    {
        var config = ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF }")
            .WithFallback(JournalPlugin.Configuration(database));
        var system = ActorSystem.Create("journal", config);
        JournalPlugin.Require(system);
        await use(system.ActorOf(Props.Create(() => new Guardian())));
        await system.Terminate();
    }

    private sealed record Replayed(IReadOnlyList<JobRecord> Records);

    private sealed record Unreadable(string Reason);

    // Answers for a keeper that is stopped: by a failed recovery, or by an event that was not persisted.
    private sealed class Guardian : ReceiveActor
    {
        private readonly List<(IActorRef Asker, object Question)> _open = [];
        private string? _unreadable;

        public Guardian()
        {
            var keeper = Context.ActorOf(Props.Create(() => new Keeper()));
            Receive<Unreadable>(unreadable =>
            {
                _unreadable = unreadable.Reason;
                _open.ForEach(open => open.Asker.Tell(unreadable));
                _open.Clear();
            });
            Receive<Answer>(answer =>
            {
                _open[0].Asker.Tell(answer.Value);
                _open.RemoveAt(0);
            });
            ReceiveAny(question =>
            {
                if (_unreadable is not null)
                {
                    Sender.Tell(new Unreadable(_unreadable));
                    return;
                }

                _open.Add((Sender, question));
                keeper.Tell(question);
            });
        }
    }

    private sealed record Answer(object Value);

    private sealed class Keeper : ReceivePersistentActor
    {
        private readonly List<JobRecord> _replayed = [];

        public Keeper()
        {
            Recover<JobRecord>(_replayed.Add);
            Command<JobRecord>(record => Persist(record, _ => Context.Parent.Tell(new Answer("persisted"))));
            Command<string>(_ => Context.Parent.Tell(new Answer(new Replayed([.. _replayed]))));
        }

        public override string PersistenceId => "job-test";

        protected override void OnRecoveryFailure(Exception reason, object? message = null) =>
            Context.Parent.Tell(new Unreadable(reason.ToString()));

        protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
            Context.Parent.Tell(new Answer("not persisted"));
    }
}
