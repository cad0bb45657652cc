using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace DistributedBackprop.Actors.Transport;

/// <summary>How an attempt to reach a node has ended.</summary>
/// <param name="Wire">Where it was accepted: the connection, owned by the caller.</param>
/// <param name="Outcome">What that says about the node.</param>
/// <param name="Reason">What happened, for people.</param>
/// <param name="Ring">Where frames go through shared memory: the ring, owned by the caller.</param>
internal readonly record struct Opening(Wire? Wire, ProbeOutcome Outcome, string Reason, SharedRing? Ring = null);

/// <summary>Reaches a node: connects, does TLS, says hello, and both ends prove themselves.</summary>
internal static class LinkOpening
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Tries until it is accepted or rejected, nobody listens there, or the time is over. A connection that is dropped
    /// before the answer is tried again: a process that is being killed drops what it holds, and only then its listener.
    /// </summary>
    /// <param name="plane">Who tries.</param>
    /// <param name="peer">Where that node listens.</param>
    /// <param name="isProbe">Whether it only wants to know that somebody answers.</param>
    /// <param name="deadline">How long it tries.</param>
    /// <param name="cancellation">Ends it before.</param>
    public static async Task<Opening> TryAsync(
        TensorPlane plane, DnsEndPoint peer, bool isProbe, TimeSpan deadline, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(deadline, plane.Settings.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        var reason = "no answer";
        try
        {
            while (true)
            {
                try
                {
                    return await TryOnceAsync(plane, peer, isProbe, either.Token).ConfigureAwait(false);
                }
                catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
                {
                    return new Opening(null, ProbeOutcome.Refused, $"Nobody listens at {peer.Host}:{peer.Port}.");
                }
                catch (AuthenticationException untrusted)
                {
                    return new Opening(null, ProbeOutcome.Answered, $"TLS with {peer.Host}:{peer.Port}: {untrusted.Message}");
                }
                catch (Exception dropped) when (dropped is SocketException or IOException)
                {
                    reason = dropped.Message;
                }

                await Task.Delay(_pause, plane.Settings.Time, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            return new Opening(
                null, ProbeOutcome.Silent, $"{peer.Host}:{peer.Port} did not answer within {deadline}: {reason}");
        }
    }

    /// <summary>Tries to reach a node, to know whether its process lives.</summary>
    /// <param name="plane">Who tries.</param>
    /// <param name="peer">Where that node listens.</param>
    public static async Task<ProbeOutcome> ProbeAsync(TensorPlane plane, DnsEndPoint peer)
    {
        var opening = await TryAsync(plane, peer, isProbe: true, plane.Settings.ProbeDeadline, CancellationToken.None)
            .ConfigureAwait(false);
        opening.Wire?.Dispose();
        return opening.Outcome;
    }

    private static async Task<Opening> TryOnceAsync(
        TensorPlane plane, DnsEndPoint peer, bool isProbe, CancellationToken cancellation)
    {
        var nonce = RandomNumberGenerator.GetBytes(Hello.NonceBytes);
        Wire? wire = null;
        SharedRing? ring = null;
        try
        {
            wire = await ConnectAsync(plane.Settings.Tls, peer, cancellation).ConfigureAwait(false);
            ring = !isProbe && plane.Settings.RingBytes > 0 && wire.IsWithinMachine
                ? SharedRing.TryCreate(plane.Settings.RingBytes, nonce)
                : null;
            var hello = new Hello(plane.Settings.Node, isProbe, ring?.Offer).Write(nonce);
            var (refusal, isRingTaken) = await GreetAsync(plane.Settings, wire, hello, cancellation).ConfigureAwait(false);
            if (refusal is not null)
            {
                return new Opening(null, ProbeOutcome.Answered, $"{peer.Host}:{peer.Port} {refusal}.");
            }

            var accepted = new Opening(wire, ProbeOutcome.Answered, "", isRingTaken ? ring : null);
            wire = null;
            ring = isRingTaken ? null : ring;
            return accepted;
        }
        finally
        {
            wire?.Dispose();
            ring?.Dispose();
        }
    }

    // No refusal where both ends know the secret; else why there is no link.
    private static async Task<(string? Refusal, bool IsRingTaken)> GreetAsync(
        PlaneSettings settings, Wire wire, byte[] hello, CancellationToken cancellation)
    {
        await wire.WriteAsync(hello, cancellation).ConfigureAwait(false);
        if (await ReadAnswerAsync(wire, cancellation).ConfigureAwait(false) is var answer and not HelloStatus.Challenged)
        {
            return (WhyNot(answer), false);
        }

        var nonce = await ReadAsync(wire, Hello.NonceBytes, cancellation).ConfigureAwait(false);
        var ours = HelloProof.Of(HelloRole.Caller, settings.Secret.Span, hello, nonce);
        await wire.WriteAsync(ours, cancellation).ConfigureAwait(false);
        answer = await ReadAnswerAsync(wire, cancellation).ConfigureAwait(false);
        if (answer is not (HelloStatus.Accepted or HelloStatus.AcceptedWithRing))
        {
            return (WhyNot(answer), false);
        }

        var theirs = await ReadAsync(wire, HelloProof.Bytes, cancellation).ConfigureAwait(false);
        return HelloProof.IsRight(theirs, HelloRole.Receiver, settings.Secret.Span, hello, nonce)
            ? (null, answer == HelloStatus.AcceptedWithRing)
            : ("does not know the run's secret itself", false);
    }

    private static string WhyNot(HelloStatus? answer) => answer
        is null or HelloStatus.Challenged or HelloStatus.Accepted or HelloStatus.AcceptedWithRing
            ? "answers as no node does"
            : $"refuses this node: {answer}";

    private static async Task<HelloStatus?> ReadAnswerAsync(Wire wire, CancellationToken cancellation) =>
        Hello.ReadAnswer(await ReadAsync(wire, Hello.AnswerBytes, cancellation).ConfigureAwait(false));

    private static async Task<byte[]> ReadAsync(Wire wire, int count, CancellationToken cancellation)
    {
        var bytes = new byte[count];
        for (var filled = 0; filled < count;)
        {
            var read = await wire.ReadAsync(bytes.AsMemory(filled), cancellation).ConfigureAwait(false);
            filled += read > 0 ? read : throw new IOException("The connection was closed before the hello's answer.");
        }

        return bytes;
    }

    private static async Task<Wire> ConnectAsync(PlaneTls? tls, DnsEndPoint peer, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(peer, cancellation).ConfigureAwait(false);
            if (tls is null)
            {
                return new PlainWire(socket);
            }

            var stream = new SslStream(new CoalescingStream(new NetworkStream(socket)));
            await stream.AuthenticateAsClientAsync(ClientTls(tls, peer), cancellation).ConfigureAwait(false);
            return new TlsWire(socket, stream);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions ClientTls(PlaneTls tls, DnsEndPoint peer) => new()
    {
        TargetHost = tls.PeerName ?? peer.Host,
        CertificateChainPolicy = tls.ChainPolicy(),
        ClientCertificates = tls.Mutual ? [tls.Certificate] : null,
    };
}
