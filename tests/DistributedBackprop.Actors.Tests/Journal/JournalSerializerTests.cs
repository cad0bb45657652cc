using System.Runtime.Serialization;
using Akka.TestKit.Xunit2;
using CsCheck;
using DistributedBackprop.Actors.Journal;
using Google.Protobuf;

namespace DistributedBackprop.Actors.Tests.Journal;

/// <summary>Events come back as they were; what is damaged, or unknown, is refused.</summary>
public sealed class JournalSerializerTests() : TestKit(JournalSerializer.Hocon)
{
    private static readonly Gen<IJournalEvent> _any = Gen.OneOf(
        RandomJournals.Job.SelectMany(records => Gen.Int[0, records.Length - 1].Select(at => (IJournalEvent)records[at])),
        RandomJournals.Coordinator.Select(record => (IJournalEvent)record),
        RandomJournals.Summary,
        RandomJournals.Rare);

    [Fact]
    public void Every_event_is_in_a_table_and_comes_back_as_it_was()
    {
        var seen = new HashSet<Type>();
        var events = typeof(IJournalEvent).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(IJournalEvent)) && !type.IsAbstract && type.IsClass);
        JournalSerializer.Events.ShouldBe(events, ignoreOrder: true);
        _any.Sample(
            record =>
            {
                seen.Add(record.GetType());
                Sys.Serialization.FindSerializerFor(record).ShouldBeOfType<JournalSerializer>();
                var row = JournalRow.Of(record);
                var read = (IJournalEvent)row.Read();
                read.ShouldBe(record);

                // Equal bytes: also the bits that equality does not see, of NaN and of zeros.
                JournalRow.Of(read).Bytes.ShouldBe(row.Bytes);
            },
            iter: 3000,
            threads: 1);
        seen.ShouldBe(events, ignoreOrder: true);
    }

    [Fact]
    public void Of_ten_thousand_mutated_rows_every_one_is_refused() =>
        Gen.Select(_any, _any, Gen.Int[0, 5], Gen.Int, Gen.Int[1, 255]).Sample(
            (record, other, kind, place, change) =>
            {
                var row = JournalRow.Of(record);
                var at = (int)((uint)place % row.Bytes.Length);
                var bytes = (byte[])row.Bytes.Clone();
                bytes[at] ^= kind == 0 ? (byte)change : (byte)(1 << (change % 8));
                var mutated = kind switch
                {
                    0 or 1 => row with { Bytes = bytes },
                    2 => row with { Bytes = row.Bytes[..at] },
                    3 => row with { Bytes = [.. row.Bytes, (byte)change] },
                    4 => row with { Bytes = [.. row.Bytes[..16], .. JournalRow.Of(other).Bytes[16..]] },
                    _ => row with { Manifest = JournalRow.Of(other).Manifest },
                };
                if (mutated.Manifest != row.Manifest || !mutated.Bytes.AsSpan().SequenceEqual(row.Bytes))
                {
                    Should.Throw<SerializationException>(mutated.Read).Message.ShouldContain(mutated.Manifest);
                }
            },
            iter: 10_000);

    [Fact]
    public void Of_mutated_manifests_none_passes_even_behind_a_checksum_that_is_right() =>
        Gen.Select(RandomJournals.State, Gen.Int, Gen.Int[1, 255]).Sample(
            (state, place, change) =>
            {
                var bytes = ManifestForm.Write(state).ToByteArray();
                bytes[(uint)place % bytes.Length] ^= (byte)change;
                try
                {
                    // What is passed over as unknown may change; what is read may not.
                    ManifestForm.Read(Actors.Journal.Forms.StateManifest.Parser.ParseFrom(bytes)).ShouldBe(state);
                }
                catch (Exception e) when (e is SerializationException or InvalidProtocolBufferException or ArgumentException)
                {
                }
            },
            iter: 5000);

    [Fact]
    public void A_field_that_a_later_version_has_added_is_passed_over() => _any.Sample(
        record =>
        {
            var row = JournalRow.Of(record);

            // Field 1000 with two bytes, which no message has.
            byte[] added = [.. row.Bytes[JournalSerializer.ChecksumBytes..], 0xC2, 0x3E, 0x02, 0xAA, 0xBB];
            JournalRow.Of(record).Read().ShouldBe((row with { Bytes = Checked(row.Manifest, added) }).Read());
        },
        iter: 500);

    [Theory]
    [InlineData("checkpoint-committed-2")]
    [InlineData("System.Diagnostics.Process")]
    [InlineData("")]
    public void An_unknown_manifest_is_refused_with_those_that_are_known(string manifest) =>
        Should.Throw<SerializationException>(() => new JournalRow(manifest, Checked(manifest, [])).Read()).Message
            .ShouldStartWith($"unknown manifest '{manifest}' in a journal: a later version has written it (allowed: checkpoint-committed-1, ");

    [Fact]
    public void Fields_are_checked_also_behind_a_checksum_that_is_right()
    {
        Refusal("job-placed-1", new Actors.Journal.Forms.JobPlaced())
            .ShouldBe("an event job-placed-1: generation must be 1 … 9223372036854775807 (was 0)");
        Refusal("checkpoint-committed-1", new Actors.Journal.Forms.CheckpointCommitted())
            .ShouldBe("an event checkpoint-committed-1: manifest is missing");
        Refusal("checkpoint-committed-1", new Actors.Journal.Forms.CheckpointCommitted { Manifest = new() { Version = 2 } })
            .ShouldBe("an event checkpoint-committed-1: version must be 1 … 1 (was 2)");
        Refusal("table-changed-1", new Actors.Journal.Forms.TableChanged { JobId = "j" })
            .ShouldBe("an event table-changed-1: change is missing, or one that a later version has added");
        Refusal("table-changed-1", new Actors.Journal.Forms.TableChanged { JobId = "j", Wished = Actors.Journal.Forms.TableChanged.Types.Wish.None })
            .ShouldBe("an event table-changed-1: wished must be 1 … 2 (was 0)");
        Refusal("table-changed-1", new Actors.Journal.Forms.TableChanged { JobId = "j", Submitted = new() { Name = "n", Document = "d", FileName = "f", DataRoot = "r" } })
            .ShouldBe("an event table-changed-1: threads must be 1 … 2147483647 (was 0)");
        Refusal("job-completed-1", new Actors.Journal.Forms.JobCompleted { JobId = "j", Steps = 1, WeightsSha256 = "A" })
            .ShouldBe("an event job-completed-1: weights_sha256 must be 64 lower-case hexadecimal digits (was 1 characters)");
        Refusal("job-submitted-1", new Actors.Journal.Forms.JobSubmitted { InitialSha256 = "a" })
            .ShouldBe("an event job-submitted-1: initial and initial_sha256 must be there both, or none of them");
    }

    private static string Refusal(string manifest, IMessage form) =>
        Should.Throw<SerializationException>(() => new JournalRow(manifest, Checked(manifest, form.ToByteArray())).Read()).Message;

    // The checksum as protos/journal.proto says it, not as the program computes it.
    private static byte[] Checked(string manifest, byte[] body) =>
    [
        .. System.Security.Cryptography.SHA256.HashData([.. System.Text.Encoding.UTF8.GetBytes(manifest), 0, .. body])[..16],
        .. body,
    ];
}
