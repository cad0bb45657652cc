namespace DistributedBackprop.Actors.Transport;

/// <summary>What a tensor on the wire is.</summary>
public enum FrameKind : byte
{
    /// <summary>A value that flows forward along an edge.</summary>
    Activation = 1,

    /// <summary>The classes of a micro-batch's examples, from the replica to its loss.</summary>
    Targets = 2,

    /// <summary>∂loss/∂(a layer's output), backward along an edge.</summary>
    Delta = 3,

    /// <summary>A peer's share of a slice that another peer sums (reduce-scatter).</summary>
    Contribution = 4,

    /// <summary>A summed slice on its way back to every peer (all-gather).</summary>
    Average = 5,

    /// <summary>
    /// A part of a layer's state (parameters, optimizer slots) on its way to or from whoever keeps it.
    /// </summary>
    State = 6,
}

/// <summary>Frames that share their places: a flow that stands still holds up no other.</summary>
public enum Flow : byte
{
    /// <summary>What flows forward: activations and targets.</summary>
    Activation,

    /// <summary>What flows backward: deltas.</summary>
    Delta,

    /// <summary>What peers exchange: contributions and averages.</summary>
    Averaging,

    /// <summary>What is kept: parts of layers' states. Large and never urgent, so it holds up no step.</summary>
    State,
}

/// <summary>Which frames belong to which flow.</summary>
public static class Flows
{
    /// <summary>How many flows there are.</summary>
    public const int Count = 4;

    /// <summary>The flow of a kind of frames.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such kind.</exception>
    public static Flow Of(FrameKind kind) => kind switch
    {
        FrameKind.Activation or FrameKind.Targets => Flow.Activation,
        FrameKind.Delta => Flow.Delta,
        FrameKind.Contribution or FrameKind.Average => Flow.Averaging,
        FrameKind.State => Flow.State,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such kind of frames."),
    };
}
