using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace DistributedBackprop.Actors.Transport;

/// <summary>How an attempt to reach a node has ended.</summary>
/// <param name="Wire">Where it was accepted: the connection, owned by the caller.</param>
/// <param name="Outcome">What that says about the node.</param>
/// <param name="Reason">What happened, for people.</param>
internal readonly record struct Opening(Wire? Wire, ProbeOutcome Outcome, string Reason);

/// <summary>Reaches a node: connects, does TLS, says hello and waits for the answer.</summary>
internal static class LinkOpening
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Tries until it is accepted or rejected, nobody listens there, or the time is over. A connection that is dropped
    /// before the answer is tried again: a process that is being killed drops what it holds, and only then its listener.
    /// </summary>
    public static async Task<Opening> TryAsync(
        TensorPlane plane, DnsEndPoint peer, TimeSpan deadline, CancellationToken cancellation)
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
                    return await TryOnceAsync(plane, peer, either.Token).ConfigureAwait(false);
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

    private static async Task<Opening> TryOnceAsync(TensorPlane plane, DnsEndPoint peer, CancellationToken cancellation)
    {
        var wire = await ConnectAsync(plane.Settings.Tls, peer, cancellation).ConfigureAwait(false);
        try
        {
            await wire.WriteAsync(plane.Hello, cancellation).ConfigureAwait(false);
            var answer = new byte[Hello.AnswerBytes];
            for (var filled = 0; filled < answer.Length;)
            {
                var count = await wire.ReadAsync(answer.AsMemory(filled), cancellation).ConfigureAwait(false);
                filled += count > 0 ? count : throw new IOException("The connection was closed before the hello's answer.");
            }

            var status = Hello.ReadAnswer(answer);
            if (status == HelloStatus.Accepted)
            {
                var accepted = wire;
                wire = null;
                return new Opening(accepted, ProbeOutcome.Answered, "");
            }

            var why = status?.ToString() ?? "that is no answer of a node";
            return new Opening(null, ProbeOutcome.Answered, $"{peer.Host}:{peer.Port} refuses this node: {why}.");
        }
        finally
        {
            wire?.Dispose();
        }
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
