namespace DistributedBackprop.Server.Telemetry;

/// <summary>What is measured under one name.</summary>
/// <param name="Name">The instrument's name.</param>
/// <param name="Unit">Its unit, as OpenTelemetry writes it (UCUM).</param>
/// <param name="Description">What it says.</param>
public sealed record Measure(string Name, string Unit, string Description);

/// <summary>All that a node measures; the table of <c>deploy/README.md</c> lists the same.</summary>
public static class Measures
{
    /// <summary>The meter, and the source of traces.</summary>
    public const string Source = "DistributedBackprop";

    internal static readonly Measure Steps = new("backprop.steps", "{step}", "Steps trained; those that are computed again after a recovery count again.");
    internal static readonly Measure Examples = new("backprop.examples", "{example}", "Examples of those steps.");
    internal static readonly Measure StepDuration = new("backprop.step.duration", "s", "Training time of a step, evaluations excluded.");
    internal static readonly Measure Rate = new("backprop.examples.rate", "{example}/s", "Examples per second over the newest report of a running job.");
    internal static readonly Measure Loss = new("backprop.loss", "1", "Loss of the newest step of a running job.");
    internal static readonly Measure TestLoss = new("backprop.test.loss", "1", "Test loss after the newest epoch of a running job.");
    internal static readonly Measure TestAccuracy = new("backprop.test.accuracy", "1", "Share of the test set judged right after that epoch.");
    internal static readonly Measure Generations = new("backprop.generations", "{generation}", "Placements that have begun.");
    internal static readonly Measure Recoveries = new("backprop.recoveries", "{recovery}", "Generations that were lost and followed by another one.");
    internal static readonly Measure RecoveryDuration = new("backprop.recovery.duration", "s", "From a loss to the first step above the highest trained before.");
    internal static readonly Measure CheckpointDuration = new("backprop.checkpoint.duration", "s", "From asking the layers for their state until it is saved.");
    internal static readonly Measure CheckpointSize = new("backprop.checkpoint.size", "By", "State in a checkpoint.");
    internal static readonly Measure Bubble = new("backprop.stage.bubble", "1", "Mean share of a step in which a stage was idle, told when its generation ends.");
    internal static readonly Measure Busy = new("backprop.stage.busy", "s", "Time of stages in the passes of steps, told when their generation ends.");
    internal static readonly Measure Jobs = new("backprop.jobs", "{job}", "Jobs that wait, run or are paused.");
    internal static readonly Measure TensorsSent = new("backprop.tensors.sent", "By", "Payload of the tensor plane that left for other nodes.");
    internal static readonly Measure TensorsReceived = new("backprop.tensors.received", "By", "Payload of the tensor plane that came from other nodes.");
    internal static readonly Measure ControlSent = new("backprop.control.sent", "By", "Control messages written for other nodes.");
    internal static readonly Measure ControlReceived = new("backprop.control.received", "By", "Control messages that came from other nodes.");
    internal static readonly Measure FramesWaiting = new("backprop.frames.waiting", "{frame}", "Tensors that have a place at another node and wait to leave.");
    internal static readonly Measure Calls = new("rpc.server.call.duration", "s", "Calls of the service, until their answer or their stream ended.");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Measure> All { get; } =
    [
        Steps, Examples, StepDuration, Rate, Loss, TestLoss, TestAccuracy, Generations, Recoveries, RecoveryDuration,
        CheckpointDuration, CheckpointSize, Bubble, Busy, Jobs, TensorsSent, TensorsReceived, ControlSent, ControlReceived,
        FramesWaiting, Calls,
    ];

    /// <summary>The names of all spans.</summary>
    public static IReadOnlyList<string> Spans { get; } =
        [JobSpan, GenerationSpan, EpochSpan, CheckpointSpan, RecoverySpan];

    internal const string JobSpan = "job";
    internal const string GenerationSpan = "generation";
    internal const string EpochSpan = "epoch";
    internal const string CheckpointSpan = "checkpoint";
    internal const string RecoverySpan = "recovery";
}
