using System.Net.Sockets;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Tests.Transport;

/// <summary>Whoever can reach the port: the node stays up, its memory bounded, and its peers go on.</summary>
public sealed class HostileBytesTests
{
    private static readonly FrameHeader _activation =
        new() { Job = PlaneNode.Job, Generation = 1, Kind = FrameKind.Activation };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Noise_ends_its_connection_and_nothing_else(bool tls)
    {
        var certificate = tls ? PlaneNode.SelfSigned(false) : null;
        await using var there = await PlaneNode.StartAsync(settings => settings with { Tls = certificate });
        await using var here = await PlaneNode.StartAsync(settings => settings with { Tls = certificate });
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);
        var noise = new Random(7);
        for (var round = 0; round < 50; round++)
        {
            using var socket = await RawPeer.ConnectAsync(there);
            var bytes = new byte[noise.Next(Hello.Bytes, 3000)];
            noise.NextBytes(bytes);
            await RawPeer.SendAllAsync(socket, bytes);
            await AssertClosedAsync(socket);
            await TensorPlaneTests.SendAndCheckAsync(
                link, events, inbox, TensorPlaneTests.Filled(here.Pool, 100, round), round);
        }

        await TensorPlaneTests.AssertNothingIsOutAsync(here, there);
    }

    [Fact]
    public async Task Behind_a_good_hello_bad_frames_end_the_connection_before_memory_is_taken()
    {
        await using var there = await PlaneNode.StartAsync();
        there.Plane.Prepare(PlaneNode.Job, 1, new Inbox());
        var noise = new Random(8);
        for (var round = 0; round < 200; round++)
        {
            using var socket = await RawPeer.GreetAsync(there);
            var frame = Frame(100);
            switch (round % 4)
            {
                case 0: // huge length
                    frame.AsSpan(4, 4).Fill(0xFF);
                    break;
                case 1: // huge axes
                    frame.AsSpan(44, 4).Fill(0x7F);
                    break;
                case 2: // generation not prepared
                    frame[24] = 2;
                    break;
                default:
                    noise.NextBytes(frame);
                    break;
            }

            await RawPeer.SendAllAsync(socket, frame);
            await AssertClosedAsync(socket);
        }

        there.Pool.AllocatedBytes.ShouldBe(0);
        there.Plane.Counters.Violations.ShouldBe(200);
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 0, "all have gone");
    }

    [Fact]
    public async Task A_wrong_version_is_told_so()
    {
        await using var there = await PlaneNode.StartAsync();
        using var socket = await RawPeer.ConnectAsync(there);
        var hello = RawPeer.NewHello("other");
        hello[4] = 99;
        await RawPeer.SendAllAsync(socket, hello);
        Hello.ReadAnswer(await RawPeer.ReceiveAsync(socket, Hello.AnswerBytes)).ShouldBe(HelloStatus.WrongVersion);
    }

    [Fact]
    public async Task A_frame_cut_off_gives_its_memory_back()
    {
        await using var there = await PlaneNode.StartAsync();
        there.Plane.Prepare(PlaneNode.Job, 1, new Inbox());
        for (var round = 0; round < 20; round++)
        {
            using (var socket = await RawPeer.GreetAsync(there))
            {
                await RawPeer.SendAllAsync(socket, Frame(100_000).AsMemory(0, 64 + (round * 10_000)));
                await Eventually.BeTrueAsync(() => there.Pool.Outstanding == 1, "the frame has begun");
            }

            await TensorPlaneTests.AssertNothingIsOutAsync(there);
        }
    }

    [Fact]
    public async Task Who_sends_a_frame_too_slowly_or_no_hello_is_closed()
    {
        await using var there = await PlaneNode.StartAsync(settings => settings with
        {
            FrameDeadline = TimeSpan.FromMilliseconds(300),
            HelloDeadline = TimeSpan.FromMilliseconds(300),
        });
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        using var slow = await RawPeer.GreetAsync(there);
        using var silent = await RawPeer.ConnectAsync(there);
        using var half = await RawPeer.ConnectAsync(there);
        await RawPeer.SendAllAsync(half, RawPeer.NewHello("half").AsMemory(0, 50));
        using var unproven = await RawPeer.ConnectAsync(there);
        await RawPeer.BeginAsync(unproven, RawPeer.NewHello("unproven"));
        var closed = AssertClosedAsync(slow);
        try
        {
            // A byte now and then does not prolong it.
            foreach (var part in Frame(100_000).Chunk(64))
            {
                await RawPeer.SendAllAsync(slow, part);
                if (await Task.WhenAny(closed, Task.Delay(5)) == closed)
                {
                    break;
                }
            }
        }
        catch (SocketException)
        {
            // Closed in the middle of a send.
        }

        await closed;
        await AssertClosedAsync(silent);
        await AssertClosedAsync(half);
        await AssertClosedAsync(unproven);
        await TensorPlaneTests.AssertNothingIsOutAsync(there);
        there.Plane.Strangers.ShouldBe(0);
        inbox.Lost.ShouldBe(["other"]);
    }

    [Fact]
    public async Task Frames_without_a_place_end_the_connection()
    {
        await using var there = await PlaneNode.StartAsync(settings => settings with { PlacesPerFlow = 3 });
        var inbox = new Inbox(keepsPlaces: true);
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        using var socket = await RawPeer.GreetAsync(there);
        await RawPeer.ReceiveAsync(socket, Flows.Count * PlaceGrant.Bytes);
        for (var i = 0; i < 4; i++)
        {
            await RawPeer.SendAllAsync(socket, Frame(10));
        }

        await AssertClosedAsync(socket);
        inbox.Count.ShouldBe(3);
        for (var i = 0; i < 3; i++)
        {
            (await inbox.TakeAsync()).Tensor.Dispose();
        }
    }

    [Fact]
    public async Task Thousands_of_connections_keep_no_peer_out_and_take_bounded_memory()
    {
        const int Crowd = 9000;
        await using var there = await PlaneNode.StartAsync();
        await using var here = await PlaneNode.StartAsync();
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var before = new LinkEvents();
        using var link = here.Plane.Open(there.Address, before);
        await TensorPlaneTests.SendAndCheckAsync(link, before, inbox, TensorPlaneTests.Filled(here.Pool, 100, 1), 1);
        var crowd = new List<Socket>(Crowd);
        try
        {
            for (var i = 0; i < Crowd; i++)
            {
                crowd.Add(await RawPeer.ConnectAsync(there));
                await TrySendAsync(crowd[^1], new byte[1 + (i % 90)]);
                there.Plane.Strangers.ShouldBeLessThanOrEqualTo(there.Plane.Settings.MaxHandshakes);
            }

            var within = new LinkEvents();
            using var another = here.Plane.Open(there.Address, within);
            for (var i = 0; i < 20; i++)
            {
                await TensorPlaneTests.SendAndCheckAsync(
                    another, within, inbox, TensorPlaneTests.Filled(here.Pool, 100_000, i), i);
                await TensorPlaneTests.SendAndCheckAsync(
                    link, before, inbox, TensorPlaneTests.Filled(here.Pool, 100_000, i), i);
            }

            there.Blocks.Blocks.ShouldBeLessThanOrEqualTo(256);
        }
        finally
        {
            crowd.ForEach(socket => socket.Dispose());
        }

        await TensorPlaneTests.AssertNothingIsOutAsync(here, there);
    }

    internal static byte[] Frame(int length)
    {
        using var tensor = Tensor.Rent(new TensorPool(), new Shape(length));
        var frame = new byte[FrameHeader.Bytes + (4 * length)];
        _activation.Describing(tensor).Write(frame);
        return frame;
    }

    private static async Task TrySendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await RawPeer.SendAllAsync(socket, bytes);
        }
        catch (SocketException)
        {
            // It has had to make room already.
        }
    }

    internal static async Task AssertClosedAsync(Socket socket)
    {
        var bytes = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(bytes.AsMemory()).AsTask().WaitAsync(PlaneNode.Patience) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset is an end, too.
        }
    }
}
