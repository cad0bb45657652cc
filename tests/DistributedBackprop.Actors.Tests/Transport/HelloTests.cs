using System.Net;
using System.Net.Sockets;
using CsCheck;
using DistributedBackprop.Actors.Transport;

namespace DistributedBackprop.Actors.Tests.Transport;

/// <summary>Both ends show that they know the secret, and nobody learns it.</summary>
public sealed class HelloTests
{
    private static readonly byte[] _wrong = [1, 2, 3];

    [Fact]
    public void What_is_written_is_read() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 1, 64], Gen.Bool, Gen.Byte.Array[Hello.NonceBytes], Gen.Int[0, 1 << 24])
            .Sample((node, isProbe, nonce, lines) =>
            {
                RingOffer? ring = lines < 64 ? null : new RingOffer(lines, lines - 64, lines * 64);
                Hello.Judge(new Hello(node, isProbe, ring).Write(nonce), out var read).ShouldBe(HelloStatus.Challenged);
                read.ShouldBe(new Hello(node, isProbe, ring));
            });

    [Theory]
    [InlineData(0, 3, 4096)]
    [InlineData(1, -1, 4096)]
    [InlineData(1, 3, 4095)]
    [InlineData(1, 3, 64)]
    [InlineData(1, 3, int.MinValue)]
    [InlineData(1, 3, int.MaxValue)]
    public void A_ring_that_cannot_be_is_malformed(int process, int descriptor, int capacity) =>
        Hello.Judge(new Hello("node", false, new RingOffer(process, descriptor, capacity)).Write(new byte[Hello.NonceBytes]), out _)
            .ShouldBe(HelloStatus.Malformed);

    [Fact]
    public void Whatever_is_changed_of_hello_nonce_secret_or_role_the_proof_is_wrong()
    {
        var hello = RawPeer.NewHello("node");
        var nonce = new byte[Hello.NonceBytes];
        var proof = HelloProof.Of(HelloRole.Caller, PlaneNode.Secret, hello, nonce);
        HelloProof.IsRight(proof, HelloRole.Caller, PlaneNode.Secret, hello, nonce).ShouldBeTrue();
        HelloProof.IsRight(proof, HelloRole.Receiver, PlaneNode.Secret, hello, nonce).ShouldBeFalse();
        HelloProof.IsRight(proof, HelloRole.Caller, _wrong, hello, nonce).ShouldBeFalse();
        for (var at = 0; at < hello.Length; at++)
        {
            var changed = (byte[])hello.Clone();
            changed[at] ^= 1;
            HelloProof.IsRight(proof, HelloRole.Caller, PlaneNode.Secret, changed, nonce).ShouldBeFalse();
        }

        for (var at = 0; at < nonce.Length; at++)
        {
            var changed = (byte[])nonce.Clone();
            changed[at] ^= 1;
            HelloProof.IsRight(proof, HelloRole.Caller, PlaneNode.Secret, hello, changed).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task A_recorded_hello_opens_no_second_connection()
    {
        await using var there = await PlaneNode.StartAsync();
        var hello = RawPeer.NewHello("node");
        using var first = await RawPeer.ConnectAsync(there);
        var nonce = await RawPeer.BeginAsync(first, hello);
        var proof = HelloProof.Of(HelloRole.Caller, PlaneNode.Secret, hello, nonce);
        await RawPeer.SendAllAsync(first, proof);
        Hello.ReadAnswer(await RawPeer.ReceiveAsync(first, Hello.AnswerBytes)).ShouldBe(HelloStatus.Accepted);

        using var second = await RawPeer.ConnectAsync(there);
        (await RawPeer.BeginAsync(second, hello)).ShouldNotBe(nonce);
        await RawPeer.SendAllAsync(second, proof);
        Hello.ReadAnswer(await RawPeer.ReceiveAsync(second, Hello.AnswerBytes)).ShouldBe(HelloStatus.WrongSecret);
        there.Plane.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task The_receivers_own_proof_does_not_prove_the_caller()
    {
        await using var there = await PlaneNode.StartAsync();
        var hello = RawPeer.NewHello("node");
        using var socket = await RawPeer.ConnectAsync(there);
        var nonce = await RawPeer.BeginAsync(socket, hello);
        await RawPeer.SendAllAsync(socket, HelloProof.Of(HelloRole.Receiver, PlaneNode.Secret, hello, nonce));
        Hello.ReadAnswer(await RawPeer.ReceiveAsync(socket, Hello.AnswerBytes)).ShouldBe(HelloStatus.WrongSecret);
        there.Plane.Connections.ShouldBe(0);
    }

    // Somebody listens where a node should: it may say what it likes, it gets no frame, and not the secret.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_receiver_that_does_not_know_the_secret_gets_no_frame(bool mirrors)
    {
        await using var here = await PlaneNode.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var events = new LinkEvents();
        using var link = here.Plane.Open(
            new DnsEndPoint("localhost", ((IPEndPoint)listener.LocalEndpoint).Port, AddressFamily.InterNetwork), events);
        using (var impostor = await listener.AcceptSocketAsync().WaitAsync(PlaneNode.Patience))
        {
            var hello = await RawPeer.ReceiveAsync(impostor, Hello.Bytes);
            var nonce = new byte[Hello.NonceBytes];
            await RawPeer.SendAllAsync(impostor, Answer(HelloStatus.Challenged));
            await RawPeer.SendAllAsync(impostor, nonce);
            var theirs = await RawPeer.ReceiveAsync(impostor, HelloProof.Bytes);
            await RawPeer.SendAllAsync(impostor, Answer(HelloStatus.Accepted));
            await RawPeer.SendAllAsync(
                impostor, mirrors ? theirs : HelloProof.Of(HelloRole.Receiver, _wrong, hello, nonce));
            (await events.Broken.Task.WaitAsync(PlaneNode.Patience)).ShouldContain("does not know the run's secret");
            (await impostor.ReceiveAsync(new byte[1]).WaitAsync(PlaneNode.Patience)).ShouldBe(0);
        }

        listener.Stop();
    }

    [Fact]
    public async Task An_older_nodes_short_refusal_is_understood()
    {
        await using var here = await PlaneNode.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var events = new LinkEvents();
        using var link = here.Plane.Open(
            new DnsEndPoint("localhost", ((IPEndPoint)listener.LocalEndpoint).Port, AddressFamily.InterNetwork), events);
        using var older = await listener.AcceptSocketAsync().WaitAsync(PlaneNode.Patience);
        await RawPeer.ReceiveAsync(older, Hello.Bytes);
        await RawPeer.SendAllAsync(older, Answer(HelloStatus.WrongVersion));
        (await events.Broken.Task.WaitAsync(PlaneNode.Patience)).ShouldContain("WrongVersion");
    }

    private static byte[] Answer(HelloStatus status)
    {
        var answer = new byte[Hello.AnswerBytes];
        Hello.WriteAnswer(answer, status);
        return answer;
    }
}
