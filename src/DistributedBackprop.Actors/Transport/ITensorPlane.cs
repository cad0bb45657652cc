using System.Net;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// Carries tensors between nodes: the seam between actors, which see links and receivers, and sockets, which the
/// simulation replaces.
/// </summary>
public interface ITensorPlane
{
    /// <summary>From now on this node takes the frames of a generation; those of earlier ones are dropped.</summary>
    /// <param name="job">The job, as <see cref="JobHash"/> names it.</param>
    /// <param name="generation">The placement, from 1.</param>
    /// <param name="receiver">Who takes the tensors.</param>
    /// <exception cref="ArgumentOutOfRangeException">A later generation has been here before.</exception>
    void Prepare(ulong job, long generation, ITensorReceiver receiver);

    /// <summary>From now on frames of a job up to this generation are dropped.</summary>
    void Retire(ulong job, long generation);

    /// <summary>Opens a one-way link to another node. The first grants tell that it stands.</summary>
    /// <param name="peer">Where that node listens for tensors.</param>
    /// <param name="observer">Who hears of places and of the end; called from any thread.</param>
    ITensorLink Open(DnsEndPoint peer, ILinkObserver observer);

    /// <summary>Tries to reach another node, to know whether its process lives.</summary>
    /// <param name="peer">Where that node listens for tensors.</param>
    /// <param name="told">Is told what that has shown, once, from any thread.</param>
    void Probe(DnsEndPoint peer, Action<ProbeOutcome> told);
}

/// <summary>A one-way link to another node. Safe for any number of threads. Disposing of it closes it at once.</summary>
public interface ITensorLink : IDisposable
{
    /// <summary>Where it leads.</summary>
    DnsEndPoint Peer { get; }

    /// <summary>
    /// Sends a tensor if its flow has a place there. Never blocks. Takes the tensor where the result is true, and gives
    /// it up once it has left (or never will).
    /// </summary>
    /// <param name="header">Its name; type, shape and length are filled in.</param>
    /// <param name="tensor">The payload, of any start and number of owners; nobody may write it until it has left.</param>
    /// <returns>
    /// False where there is no place, or no link: the caller still owns the tensor and hears
    /// <see cref="ILinkObserver.OnPlaces"/> or <see cref="ILinkObserver.OnBroken"/>.
    /// </returns>
    bool TrySend(in FrameHeader header, Tensor tensor);

    /// <summary>
    /// Payload bytes of a flow whose sends are done. The receiver may have a frame before it is counted here.
    /// </summary>
    long BytesSent(Flow flow);
}

/// <summary>Hears of a link. Called from any thread; must not block.</summary>
public interface ILinkObserver
{
    /// <summary>A flow has places (again).</summary>
    void OnPlaces(ITensorLink link, Flow flow);

    /// <summary>The link is broken, or could not be made. Said once, at once, and never of a link that was disposed.</summary>
    /// <param name="link">Which link.</param>
    /// <param name="reason">What happened, for people.</param>
    void OnBroken(ITensorLink link, string reason);

    /// <summary>After <see cref="OnBroken"/>: what trying again has shown.</summary>
    /// <param name="link">Which link.</param>
    /// <param name="outcome">Refused means that the process is dead.</param>
    void OnProbed(ITensorLink link, ProbeOutcome outcome);

    /// <summary>The link holds no tensor any more: said once, after it was disposed or broken.</summary>
    void OnReleased(ITensorLink link);
}

/// <summary>What trying again to reach the peer of a broken link has shown.</summary>
public enum ProbeOutcome
{
    /// <summary>The peer's process answers.</summary>
    Answered,

    /// <summary>Nobody listens there any more: the process is dead.</summary>
    Refused,

    /// <summary>Neither within the deadline: it may be stopped, or the network cut.</summary>
    Silent,
}

/// <summary>Takes the tensors of one generation. Called from any thread; must not block.</summary>
public interface ITensorReceiver
{
    /// <summary>A tensor begins to arrive: what becomes of it is said before there is memory for it.</summary>
    /// <param name="node">Who sends it.</param>
    /// <param name="header">Its name, checked for itself but not against the graph.</param>
    /// <returns><see cref="Verdict.Close"/> where nobody here can take it.</returns>
    Verdict Judge(string node, in FrameHeader header);

    /// <summary>A tensor has arrived.</summary>
    /// <param name="node">Who sent it.</param>
    /// <param name="header">Its name, of which <see cref="Judge"/> has said that it is taken.</param>
    /// <param name="tensor">Its content; the receiver owns it.</param>
    /// <param name="place">
    /// The place it came on. Returned when the receiver has room for a further frame of the flow: at once where the
    /// schedule bounds what is in flight; waiting for the tensor's use would let frames that come early keep out the
    /// one that is needed.
    /// </param>
    void OnTensor(string node, in FrameHeader header, Tensor tensor, IPlace place);

    /// <summary>
    /// The last connection has ended by which a node has sent to this generation, or could have: its process is dead, the
    /// connection broken, a frame took longer than its deadline, or it has disposed of its link. Said once for each node,
    /// at once, and only while the generation lives; not where this end has closed it, for what it sent or because the host
    /// stops. A node that disposes of its links when a generation ends may be heard of here first: whose end it is the
    /// owner knows.
    /// </summary>
    /// <param name="node">Who is gone.</param>
    /// <param name="reason">What happened, for people.</param>
    void OnPeerLost(string node, string reason);
}

/// <summary>A place of a flow, taken by a frame that has arrived.</summary>
public interface IPlace
{
    /// <summary>Grants it to the sender again. Any further call does nothing.</summary>
    void Return();
}
