using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;

namespace DistributedBackprop.Actors.Transport;

/// <summary>The receiving end of a hello: see <see cref="Hello"/> for what is said in which order.</summary>
internal static class Greeting
{
    /// <summary>Hears a hello and answers it.</summary>
    /// <param name="transport">The connection.</param>
    /// <param name="settings">This node's.</param>
    /// <param name="ticket">The connection's leave to be here: used only by who has proved to know the secret.</param>
    /// <param name="isSameMachine">Whether a ring that the caller offers is looked for.</param>
    /// <returns>The last answer, who calls, as far as that is known, and the ring that was agreed on.</returns>
    public static async Task<(HelloStatus Status, Hello? Caller, SharedRing? Ring)> HearAsync(
        IDuplexPipe transport, PlaneSettings settings, AdmissionTicket ticket, bool isSameMachine)
    {
        var hello = new byte[Hello.Bytes];
        if (!await TryReadAsync(transport.Input, hello).ConfigureAwait(false))
        {
            return (await RefuseAsync(transport.Output, HelloStatus.Malformed).ConfigureAwait(false), null, null);
        }

        var status = Hello.Judge(hello, out var caller);
        if (status != HelloStatus.Challenged)
        {
            return (await RefuseAsync(transport.Output, status).ConfigureAwait(false), caller, null);
        }

        var nonce = RandomNumberGenerator.GetBytes(Hello.NonceBytes);
        await AnswerAsync(transport.Output, status, nonce).ConfigureAwait(false);
        var proof = new byte[HelloProof.Bytes];
        status = !await TryReadAsync(transport.Input, proof).ConfigureAwait(false) ? HelloStatus.Malformed
            : !HelloProof.IsRight(proof, HelloRole.Caller, settings.Secret.Span, hello, nonce) ? HelloStatus.WrongSecret
            : !ticket.TryEstablish() ? HelloStatus.TooMany
            : HelloStatus.Accepted;
        if (status != HelloStatus.Accepted)
        {
            return (await RefuseAsync(transport.Output, status).ConfigureAwait(false), caller, null);
        }

        var ring = isSameMachine && settings.RingBytes > 0 && caller!.Ring is { } offer
            ? SharedRing.TryOpen(offer, Hello.NonceOf(hello))
            : null;
        var ours = HelloProof.Of(HelloRole.Receiver, settings.Secret.Span, hello, nonce);
        var answer = ring is null ? HelloStatus.Accepted : HelloStatus.AcceptedWithRing;
        await AnswerAsync(transport.Output, answer, ours).ConfigureAwait(false);
        return (status, caller, ring);
    }

    private static async Task<HelloStatus> RefuseAsync(PipeWriter output, HelloStatus status)
    {
        await AnswerAsync(output, status, []).ConfigureAwait(false);
        return status;
    }

    private static async Task AnswerAsync(PipeWriter output, HelloStatus status, byte[] nonceOrProof)
    {
        Hello.WriteAnswer(output.GetSpan(Hello.AnswerBytes), status);
        output.Advance(Hello.AnswerBytes);
        output.Write(nonceOrProof);
        await output.FlushAsync().ConfigureAwait(false);
    }

    // Copied out as it comes, so that who says half a hello holds no block of the pool.
    private static async Task<bool> TryReadAsync(PipeReader input, byte[] target)
    {
        for (var filled = 0; filled < target.Length;)
        {
            var result = await input.ReadAsync().ConfigureAwait(false);
            var taken = (int)Math.Min(result.Buffer.Length, target.Length - filled);
            result.Buffer.Slice(0, taken).CopyTo(target.AsSpan(filled));
            filled += taken;
            input.AdvanceTo(result.Buffer.GetPosition(taken));
            if (result.IsCompleted && filled < target.Length)
            {
                return false;
            }
        }

        return true;
    }
}
