using System.Buffers.Binary;
using System.Security.Cryptography;
using CsCheck;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Tests.Transport;

/// <summary>Memory that two ends share: what goes in comes out, and nothing in it is believed.</summary>
public sealed class SharedRingTests
{
    private const int WriterPosition = 64;
    private const int ReaderPosition = 128;
    private static readonly byte[] _nonce = RandomNumberGenerator.GetBytes(Hello.NonceBytes);

    [Fact]
    public void What_is_written_in_any_pieces_is_read_in_any_pieces() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 9000].Array[1, 30], Gen.Int[1, 9000].Array[1, 30]).Sample(
            (lines, writes, reads) =>
            {
                using var writer = SharedRing.TryCreate(4096 + (lines * 64), _nonce).ShouldNotBeNull();
                using var reader = SharedRing.TryOpen(writer.Offer, _nonce).ShouldNotBeNull();
                var sent = RandomNumberGenerator.GetBytes(writes.Sum());
                var writing = new Thread(() => WriteAll(writer, sent, writes));
                writing.Start();
                var received = new List<byte>();
                for (var turn = 0; received.Count < sent.Length; turn++)
                {
                    var bytes = reader.Peek();
                    if (bytes.IsEmpty)
                    {
                        reader.AwaitBytes(PlaneNode.Patience);
                        continue;
                    }

                    bytes = bytes[..Math.Min(bytes.Length, reads[turn % reads.Length])];
                    received.AddRange(bytes);
                    reader.Consume(bytes.Length);
                }

                writing.Join(PlaneNode.Patience).ShouldBeTrue();
                received.ShouldBe(sent);
            },
            iter: 200);

    [Fact]
    public void Only_who_knows_the_nonce_opens_it_and_nothing_else_is_taken_for_a_ring()
    {
        using var ring = SharedRing.TryCreate(8192, _nonce).ShouldNotBeNull();
        using var other = File.OpenHandle(Environment.ProcessPath!);
        var offer = ring.Offer;
        SharedRing.TryOpen(offer, RandomNumberGenerator.GetBytes(Hello.NonceBytes)).ShouldBeNull();
        SharedRing.TryOpen(offer with { Capacity = 4096 }, _nonce).ShouldBeNull();
        SharedRing.TryOpen(offer with { Capacity = 16384 }, _nonce).ShouldBeNull();
        SharedRing.TryOpen(offer with { Descriptor = 1_000_000 }, _nonce).ShouldBeNull();
        SharedRing.TryOpen(offer with { Descriptor = (int)other.DangerousGetHandle() }, _nonce).ShouldBeNull();
        SharedRing.TryOpen(offer with { Descriptor = 0 }, _nonce).ShouldBeNull();
        SharedRing.TryOpen(offer with { ProcessId = int.MaxValue }, _nonce).ShouldBeNull();
        using var again = SharedRing.TryOpen(offer, _nonce).ShouldNotBeNull();
    }

    [Fact]
    public void No_file_is_left_behind()
    {
        using var ring = SharedRing.TryCreate(8192, _nonce).ShouldNotBeNull();
        Directory.GetFiles("/dev/shm", "backprop-*").ShouldNotContain(file => new FileInfo(file).Length == 4096 + 8192);
    }

    // A container has 64 MB of it: what is offered must be there, for whoever touches a page that is not dies of it.
    [SkippableFact]
    public void A_ring_for_which_there_is_no_memory_is_none()
    {
        using var memory = SmallMemory.Mount(64 << 10);
        SharedRing.TryCreate(256 << 10, _nonce, memory.Path).ShouldBeNull();
        Directory.GetFiles(memory.Path).ShouldBeEmpty();
        using var small = SharedRing.TryCreate(16 << 10, _nonce, memory.Path).ShouldNotBeNull();
        small.Write(new byte[16 << 10]);
        small.Publish();
        SharedRing.TryCreate(48 << 10, _nonce, memory.Path).ShouldBeNull();
    }

    // The reader may write there at any time, also between two looks of the writer.
    [Fact]
    public async Task A_reader_that_says_all_sorts_of_things_ends_its_link_and_nothing_else()
    {
        var ring = SharedRing.TryCreate(8192, _nonce).ShouldNotBeNull();
        using var writer = new RingWriter(ring);
        using var tensor = Tensor.Rent(new TensorPool(), new Shape(20_000));
        var offer = ring.Offer;
        var header = new FrameHeader { Kind = FrameKind.Activation, Generation = 1 }.Describing(tensor);
        using var end = new CancellationTokenSource();
        var lying = Task.Run(() =>
        {
            for (var turn = 0L; !end.IsCancellationRequested; turn++)
            {
                Poke(offer, ReaderPosition, turn % 3 == 0 ? turn * 4096 : turn % 3 == 1 ? long.MinValue : long.MaxValue);
            }
        });
        for (var round = 0; round < 200; round++)
        {
            Should.Throw<IOException>(() =>
            {
                while (true)
                {
                    writer.TryWrite(header, tensor);
                    writer.Write(header, tensor, CancellationToken.None);
                }
            });
        }

        await end.CancelAsync();
        await lying;
    }

    [Fact]
    public async Task A_peer_that_writes_nonsense_into_the_ring_is_closed_and_no_memory_is_taken()
    {
        await using var there = await PlaneNode.StartAsync();
        there.Plane.Prepare(PlaneNode.Job, 1, new Inbox());
        long[] positions = [-1, long.MinValue, long.MaxValue, 8193, 5_000_000_000];
        foreach (var position in positions)
        {
            using var ring = SharedRing.TryCreate(8192, new byte[Hello.NonceBytes]).ShouldNotBeNull();
            using var socket = await GreetAsync(there, ring.Offer, HelloStatus.AcceptedWithRing);
            Poke(ring.Offer, WriterPosition, position);
            ring.Wake();
            await HostileBytesTests.AssertClosedAsync(socket);
        }

        using var noise = SharedRing.TryCreate(8192, new byte[Hello.NonceBytes]).ShouldNotBeNull();
        using var noisy = await GreetAsync(there, noise.Offer, HelloStatus.AcceptedWithRing);
        noise.Write(RandomNumberGenerator.GetBytes(5000));
        noise.Publish();
        await HostileBytesTests.AssertClosedAsync(noisy);
        there.Plane.Counters.Violations.ShouldBe(positions.Length + 1);
        there.Pool.AllocatedBytes.ShouldBe(0);
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 0, "all have gone");
    }

    [Fact]
    public async Task Beside_a_ring_nothing_comes_over_the_connection()
    {
        await using var there = await PlaneNode.StartAsync();
        using var ring = SharedRing.TryCreate(8192, new byte[Hello.NonceBytes]).ShouldNotBeNull();
        using var socket = await GreetAsync(there, ring.Offer, HelloStatus.AcceptedWithRing);
        await RawPeer.SendAllAsync(socket, HostileBytesTests.Frame(100));
        await HostileBytesTests.AssertClosedAsync(socket);
        there.Plane.Counters.Violations.ShouldBe(1);
    }

    [Fact]
    public async Task A_ring_that_is_not_to_be_had_leaves_the_connection()
    {
        await using var there = await PlaneNode.StartAsync();
        using var ring = SharedRing.TryCreate(8192, _nonce).ShouldNotBeNull();
        using var socket = await GreetAsync(there, ring.Offer, HelloStatus.Accepted);
        await using var without = await PlaneNode.StartAsync(settings => settings with { RingBytes = 0 });
        using var known = SharedRing.TryCreate(8192, new byte[Hello.NonceBytes]).ShouldNotBeNull();
        using var other = await GreetAsync(without, known.Offer, HelloStatus.Accepted);
    }

    // What was written before the end is read, though the end is seen on another way.
    [Fact]
    public async Task What_was_written_before_the_connection_ended_still_comes()
    {
        await using var there = await PlaneNode.StartAsync();
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        for (var round = 0; round < 50; round++)
        {
            using var ring = SharedRing.TryCreate(1 << 20, new byte[Hello.NonceBytes]).ShouldNotBeNull();
            using (await GreetAsync(there, ring.Offer, HelloStatus.AcceptedWithRing))
            {
                ring.Write(HostileBytesTests.Frame(1000 * (round + 1)));
                ring.Publish();
            }

            (await inbox.TakeAsync()).Tensor.Dispose();
        }
    }

    private static Task<System.Net.Sockets.Socket> GreetAsync(PlaneNode node, RingOffer offer, HelloStatus expected) =>
        RawPeer.GreetAsync(node, new Hello("other", IsProbe: false, offer).Write(new byte[Hello.NonceBytes]), expected);

    private static void Poke(RingOffer offer, int at, long value)
    {
        using var file = File.OpenHandle(
            $"/proc/{offer.ProcessId}/fd/{offer.Descriptor}", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        RandomAccess.Write(file, bytes, at);
    }

    private static void WriteAll(SharedRing ring, byte[] bytes, int[] pieces)
    {
        var at = 0;
        foreach (var piece in pieces)
        {
            for (var end = at + piece; at < end;)
            {
                var part = (int)Math.Min(end - at, ring.Free);
                if (part == 0)
                {
                    ring.AwaitRoom(PlaneNode.Patience);
                    continue;
                }

                ring.Write(bytes.AsSpan(at, part));
                ring.Publish();
                at += part;
            }
        }
    }
}
