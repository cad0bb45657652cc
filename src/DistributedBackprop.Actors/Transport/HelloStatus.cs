namespace DistributedBackprop.Actors.Transport;

/// <summary>How a node answers to a hello.</summary>
public enum HelloStatus : byte
{
    /// <summary>Frames may follow, as places are granted. With it comes the proof that the answering end knows the secret.</summary>
    Accepted,

    /// <summary>These are not the bytes of a hello.</summary>
    Malformed,

    /// <summary>The two ends speak different versions.</summary>
    WrongVersion,

    /// <summary>The caller does not know the run's secret.</summary>
    WrongSecret,

    /// <summary>There are as many connections as this node takes.</summary>
    TooMany,

    /// <summary>The caller is to prove that it knows the secret. With it comes the nonce to prove it for.</summary>
    Challenged,

    /// <summary>As <see cref="Accepted"/>, and frames come through the ring that the caller offered.</summary>
    AcceptedWithRing,
}
