using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Tests.Transport;

/// <summary>Two nodes over real sockets; on one machine frames may go through memory that both share.</summary>
public abstract class TensorPlaneTests
{
    private static readonly FrameHeader _activation =
        new() { Job = PlaneNode.Job, Generation = 1, Kind = FrameKind.Activation, IsTraining = true };

    protected abstract int RingBytes { get; }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Tensors_of_many_shapes_arrive_bit_for_bit(bool tls, bool mutual)
    {
        var certificate = tls ? PlaneNode.SelfSigned(mutual) : null;
        await using var there = await StartAsync(settings => settings with { Tls = certificate });
        await using var here = await StartAsync(settings => settings with { Tls = certificate });
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);

        Shape[] shapes = [new(), new(0), new(1), new(3, 0), new(7, 5), new(128, 784), new(2, 3, 4, 5), new(1_000_003)];
        for (var round = 0; round < 5; round++)
        {
            foreach (var shape in shapes)
            {
                // Sole, with a second owner, and a part: the three ways that a frame leaves.
                using var vector = Filled(here.Pool, shape.Length + 16, round);
                await SendAndCheckAsync(link, events, inbox, Filled(here.Pool, shape, round), round);
                using var other = Filled(here.Pool, shape, round);
                await SendAndCheckAsync(link, events, inbox, other.Share(), round);
                await SendAndCheckAsync(link, events, inbox, vector.Share(16, shape), round);
            }
        }

        // The last frame may be here before its sender knows that it has left.
        await Eventually.BeTrueAsync(
            () => link.BytesSent(Flow.Activation) == there.Plane.Counters.BytesReceived(Flow.Activation),
            "what was sent is what was received");
        await AssertNothingIsOutAsync(here, there);
    }

    // What trains in one process has tensors of up to 1.75 GB, and some may be cut.
    [Fact]
    public async Task A_tensor_of_more_than_256_MB_crosses_a_link()
    {
        await using var there = await StartAsync(settings => settings);
        await using var here = await StartAsync();
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);
        await SendAndCheckAsync(link, events, inbox, Filled(here.Pool, (257 << 20) / sizeof(float), 1), 1);
        await AssertNothingIsOutAsync(here, there);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public async Task All_flows_at_once_end_with_few_places_and_bound_what_is_held(int places)
    {
        await using var there = await StartAsync(settings => settings with { PlacesPerFlow = places });
        await using var here = await StartAsync();
        var inbox = new Inbox(keepsPlaces: true);
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);
        FrameKind[] kinds = [FrameKind.Activation, FrameKind.Delta, FrameKind.Average, FrameKind.State];
        var sending = kinds.Select(async kind =>
        {
            for (var i = 0; i < 300; i++)
            {
                await events.SendAsync(
                    link, _activation with { Kind = kind, MicroBatch = i }, Filled(here.Pool, new Shape(i * 7), i));
            }
        }).ToList();
        var next = new Dictionary<FrameKind, int>();
        for (var i = 0; i < 1200; i++)
        {
            var (header, tensor) = await inbox.TakeAsync();
            tensor.Dispose();
            header.MicroBatch.ShouldBe(next.GetValueOrDefault(header.Kind));
            next[header.Kind] = header.MicroBatch + 1;
        }

        inbox.MostHeld.ShouldBeLessThanOrEqualTo(places);
        await Task.WhenAll(sending).WaitAsync(PlaneNode.Patience);
        await AssertNothingIsOutAsync(here, there);
    }

    [Theory]
    [InlineData(FrameKind.Activation, FrameKind.Delta)]
    [InlineData(FrameKind.Activation, FrameKind.State)]
    [InlineData(FrameKind.State, FrameKind.Activation)]
    [InlineData(FrameKind.State, FrameKind.Delta)]
    [InlineData(FrameKind.State, FrameKind.Contribution)]
    public async Task A_flow_that_stands_still_holds_up_no_other(FrameKind stuck, FrameKind free)
    {
        await using var there = await StartAsync(settings => settings with { PlacesPerFlow = 2 });
        await using var here = await StartAsync();
        var header = _activation with { Kind = stuck, Step = 0 };
        var inbox = new Inbox(keepsPlaces: true);
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);
        await events.SendAsync(link, header, Filled(here.Pool, new Shape(1000), 1));
        await events.SendAsync(link, header, Filled(here.Pool, new Shape(1000), 2));
        await Eventually.BeTrueAsync(() => inbox.Count == 2, "both have come");
        using var refused = Filled(here.Pool, new Shape(1000), 3);
        link.TrySend(header, refused).ShouldBeFalse();
        refused.Length.ShouldBe(1000);

        await events.SendAsync(link, header with { Kind = free }, Filled(here.Pool, new Shape(5), 4));
        await Eventually.BeTrueAsync(() => inbox.Count == 3, "the other has come though none of the first flow can");
        for (var i = 0; i < 3; i++)
        {
            (await inbox.TakeAsync()).Tensor.Dispose();
        }
    }

    [Fact]
    public async Task A_peer_that_is_gone_is_noticed_and_refuses()
    {
        var there = await StartAsync();
        await using var here = await StartAsync();
        there.Plane.Prepare(PlaneNode.Job, 1, new Inbox(keepsPlaces: true));
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);
        for (var i = 0; i < 8; i++)
        {
            await events.SendAsync(link, _activation, Filled(here.Pool, new Shape(1_000_000), i));
        }

        await there.DisposeAsync();
        (await events.Broken.Task.WaitAsync(PlaneNode.Patience)).ShouldContain("localhost");
        await events.Released.Task.WaitAsync(PlaneNode.Patience);
        here.Pool.Outstanding.ShouldBe(0);
        (await events.Probed.Task.WaitAsync(PlaneNode.Patience)).ShouldBe(ProbeOutcome.Refused);
        using var late = Filled(here.Pool, new Shape(1), 0);
        link.TrySend(_activation, late).ShouldBeFalse();
    }

    [Fact]
    public async Task A_link_that_is_disposed_gives_up_what_it_holds_and_is_not_called_broken()
    {
        await using var there = await StartAsync();
        await using var here = await StartAsync();
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var events = new LinkEvents();
        var link = here.Plane.Open(there.Address, events);
        await events.SendAsync(link, _activation, Filled(here.Pool, new Shape(10), 0));
        for (var i = 0; i < 7; i++)
        {
            await events.SendAsync(link, _activation, Filled(here.Pool, new Shape(2_000_000), i));
        }

        link.Dispose();
        await events.Released.Task.WaitAsync(PlaneNode.Patience);
        here.Pool.Outstanding.ShouldBe(0);
        events.Broken.Task.IsCompleted.ShouldBeFalse();
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 0, "the other end has let it go");
        for (var left = inbox.Count; left > 0; left--)
        {
            (await inbox.TakeAsync()).Tensor.Dispose();
        }

        there.Pool.Outstanding.ShouldBe(0);
    }

    [Fact]
    public async Task A_wrong_secret_is_refused_with_the_reason()
    {
        await using var there = await StartAsync();
        await using var here = await StartAsync(settings => settings with { Secret = new byte[] { 1, 2, 3 } });
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);
        (await events.Broken.Task.WaitAsync(PlaneNode.Patience)).ShouldContain("WrongSecret");
        (await events.Probed.Task.WaitAsync(PlaneNode.Patience)).ShouldBe(ProbeOutcome.Answered);
        there.Plane.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task An_unknown_certificate_is_refused()
    {
        await using var there = await StartAsync(settings => settings with { Tls = PlaneNode.SelfSigned(false) });
        await using var here = await StartAsync(settings => settings with { Tls = PlaneNode.SelfSigned(false) });
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);
        (await events.Broken.Task.WaitAsync(PlaneNode.Patience)).ShouldContain("TLS");
        there.Plane.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task Frames_of_an_old_generation_are_dropped_and_their_places_come_back_one_not_prepared_breaks_the_link()
    {
        await using var there = await StartAsync(settings => settings with { PlacesPerFlow = 1 });
        await using var here = await StartAsync();
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 2, inbox);
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);
        for (var i = 0; i < 20; i++)
        {
            await events.SendAsync(link, _activation, Filled(here.Pool, new Shape(100_000), i));
        }

        await SendAndCheckAsync(link, events, inbox, Filled(here.Pool, new Shape(3), 1), 1, generation: 2);
        there.Plane.Counters.FramesDropped.ShouldBe(20);
        await events.SendAsync(link, _activation with { Generation = 3 }, Filled(here.Pool, new Shape(3), 1));
        await events.Broken.Task.WaitAsync(PlaneNode.Patience);
        (await events.Probed.Task.WaitAsync(PlaneNode.Patience)).ShouldBe(ProbeOutcome.Answered);
        there.Plane.Counters.Violations.ShouldBe(1);
        await AssertNothingIsOutAsync(here, there);
    }

    private Task<PlaneNode> StartAsync(Func<PlaneSettings, PlaneSettings>? change = null) => PlaneNode.StartAsync(
        settings => (change?.Invoke(settings) ?? settings) with { RingBytes = RingBytes });

    internal static async Task SendAndCheckAsync(
        ITensorLink link, LinkEvents events, Inbox inbox, Tensor tensor, int seed, long generation = 1)
    {
        var shape = tensor.Shape;
        var bytes = tensor.Bytes.ToArray();
        await events.SendAsync(link, _activation with { Step = seed, Generation = generation }, tensor);
        var (header, arrived) = await inbox.TakeAsync();
        using (arrived)
        {
            header.Step.ShouldBe(seed);
            arrived.Shape.ShouldBe(shape);
            arrived.Bytes.Span.SequenceEqual(bytes).ShouldBeTrue();
        }
    }

    internal static Tensor Filled(TensorPool pool, int length, int seed) => Filled(pool, new Shape(length), seed);

    internal static Tensor Filled(TensorPool pool, Shape shape, int seed)
    {
        // Any bits at all, signalling NaNs too: a multiplicative hash of the place.
        var tensor = Tensor.Rent(pool, shape, ElementType.Int32);
        for (var i = 0; i < shape.Length; i++)
        {
            tensor.Integers[i] = (i + seed) * -1_640_531_527;
        }

        return tensor;
    }

    internal static async Task AssertNothingIsOutAsync(params PlaneNode[] nodes)
    {
        foreach (var node in nodes)
        {
            await Eventually.BeTrueAsync(() => node.Pool.Outstanding == 0, $"{node.Pool.Outstanding} tensors are out");
        }
    }
}

/// <summary>All over the connection.</summary>
public sealed class OverConnectionTests : TensorPlaneTests
{
    protected override int RingBytes => 0;
}

/// <summary>Through a ring in which a frame never has room.</summary>
public sealed class ThroughSmallRingTests : TensorPlaneTests
{
    protected override int RingBytes => 4096;
}

/// <summary>Through a ring as nodes have it.</summary>
public sealed class ThroughRingTests : TensorPlaneTests
{
    protected override int RingBytes => new PlaneSettings("node", PlaneNode.Secret).RingBytes;
}
