using System.Net.Sockets;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Tests.Transport;

/// <summary>A node that only receives learns that a sender has gone: once, for the right generation.</summary>
public sealed class PeerLossTests
{
    private const ulong OtherJob = PlaneNode.Job + 1;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_dead_sender_is_lost_whether_or_not_it_has_sent(bool hasSent)
    {
        await using var there = await PlaneNode.StartAsync();
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        using (var socket = await RawPeer.GreetAsync(there, "sender"))
        {
            if (hasSent)
            {
                await DeliverAsync(socket, inbox, PlaneNode.Job, 1);
            }

            // As a process that is killed: a reset, not an orderly end.
            socket.LingerState = new LingerOption(true, 0);
        }

        await Eventually.BeTrueAsync(() => !inbox.Lost.IsEmpty, "the loss is known");
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 0, "it has gone");
        inbox.Lost.ShouldBe(["sender"]);
    }

    [Fact]
    public async Task A_link_of_the_same_plane_that_is_disposed_is_told_too()
    {
        await using var there = await PlaneNode.StartAsync();
        await using var here = await PlaneNode.StartAsync(settings => settings with { Node = "sender" });
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var events = new LinkEvents();
        using (var link = here.Plane.Open(there.Address, events))
        {
            await TensorPlaneTests.SendAndCheckAsync(link, events, inbox, TensorPlaneTests.Filled(here.Pool, 100, 1), 1);
            inbox.Lost.ShouldBeEmpty();
        }

        await Eventually.BeTrueAsync(() => !inbox.Lost.IsEmpty, "the loss is known");
        inbox.Lost.ShouldBe(["sender"]);
    }

    [Fact]
    public async Task Only_the_last_connection_of_a_node_that_has_delivered_is_its_loss_and_once()
    {
        await using var there = await PlaneNode.StartAsync();
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var first = await RawPeer.GreetAsync(there, "sender");
        var second = await RawPeer.GreetAsync(there, "sender");
        using var other = await RawPeer.GreetAsync(there, "another");
        await DeliverAsync(first, inbox, PlaneNode.Job, 1);
        await DeliverAsync(second, inbox, PlaneNode.Job, 1);
        first.Dispose();
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 2, "the first has gone");
        inbox.Lost.ShouldBeEmpty();
        second.Dispose();
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 1, "the second has gone");
        inbox.Lost.ShouldBe(["sender"]);
        (await RawPeer.GreetAsync(there, "sender")).Dispose();
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 1, "the third has gone");
        inbox.Lost.ShouldBe(["sender"]);
    }

    [Fact]
    public async Task A_connection_that_served_one_job_is_no_loss_to_another()
    {
        await using var there = await PlaneNode.StartAsync();
        var inbox = new Inbox();
        var unconcerned = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        there.Plane.Prepare(OtherJob, 1, unconcerned);
        var socket = await RawPeer.GreetAsync(there, "sender");
        await DeliverAsync(socket, inbox, PlaneNode.Job, 1);
        socket.Dispose();
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 0, "it has gone");
        inbox.Lost.ShouldBe(["sender"]);
        unconcerned.Lost.ShouldBeEmpty();
    }

    // What happens whenever a generation follows another: the new one is prepared while old links still close.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_links_of_a_generation_that_is_over_are_no_loss_to_the_next(bool hasSent)
    {
        await using var there = await PlaneNode.StartAsync();
        var old = new Inbox();
        var next = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, old);
        var socket = await RawPeer.GreetAsync(there, "sender");
        if (hasSent)
        {
            await DeliverAsync(socket, old, PlaneNode.Job, 1);
        }

        there.Plane.Retire(PlaneNode.Job, 1);
        there.Plane.Prepare(PlaneNode.Job, 2, next);
        socket.Dispose();
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 0, "it has gone");
        old.Lost.ShouldBeEmpty();
        next.Lost.ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_is_closed_for_what_it_sent_or_only_probes_is_not_lost()
    {
        await using var there = await PlaneNode.StartAsync();
        await using var here = await PlaneNode.StartAsync(settings => settings with { Node = "sender" });
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        var events = new LinkEvents();
        using var link = here.Plane.Open(there.Address, events);
        await events.SendAsync(
            link,
            new FrameHeader { Job = PlaneNode.Job, Generation = 7, Kind = FrameKind.State },
            TensorPlaneTests.Filled(here.Pool, 10, 1));
        (await events.Probed.Task.WaitAsync(PlaneNode.Patience)).ShouldBe(ProbeOutcome.Answered);
        await Eventually.BeTrueAsync(() => there.Plane.Connections == 0, "both have gone");
        there.Plane.Counters.Violations.ShouldBe(1);
        inbox.Lost.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_host_that_stops_has_lost_nobody()
    {
        var there = await PlaneNode.StartAsync();
        var inbox = new Inbox();
        there.Plane.Prepare(PlaneNode.Job, 1, inbox);
        using var socket = await RawPeer.GreetAsync(there, "sender");
        await there.DisposeAsync();
        there.Plane.Connections.ShouldBe(0);
        inbox.Lost.ShouldBeEmpty();
    }

    private static async Task DeliverAsync(Socket socket, Inbox inbox, ulong job, long generation)
    {
        using var tensor = Tensor.Rent(new TensorPool(), new Shape(10));
        var frame = new byte[FrameHeader.Bytes + 40];
        new FrameHeader { Job = job, Generation = generation, Kind = FrameKind.Activation }.Describing(tensor).Write(frame);
        await RawPeer.SendAllAsync(socket, frame);
        (await inbox.TakeAsync()).Tensor.Dispose();
    }
}
