using System.Collections.Immutable;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Jobs;

namespace DistributedBackprop.Actors.Wire;

/// <summary>The messages between a job and its layers, losses and replicas.</summary>
internal static class JobFormats
{
    public static ImmutableArray<WireFormat> All { get; } =
    [
        WireFormat.Of<Grant, Messages.Grant>(
            "grant",
            (message, _) => new()
            {
                Generation = message.Generation,
                UpToStep = message.UpToStep,
                Judged = message.Judged,
            },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                GenerationFields.Step(wire.UpToStep, "up_to_step"),
                GenerationFields.Step(wire.Judged, "judged"))),
        WireFormat.Of<StepsJudged, Messages.StepsJudged>("steps-judged", (message, _) => Write(message), (wire, _) => Read(wire)),
        WireFormat.Of<Evaluate, Messages.Evaluate>(
            "evaluate",
            (message, _) => new()
            {
                Generation = message.Generation,
                AfterStep = message.AfterStep,
                Number = message.Number,
            },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                GenerationFields.Step(wire.AfterStep, "after_step"),
                EvaluationNumber(wire.Number))),
        WireFormat.Of<Evaluated, Messages.Evaluated>("evaluated", (message, _) => Write(message), (wire, _) => Read(wire)),
        WireFormat.Of<CloseRound, Messages.CloseRound>(
            "close-round",
            (message, _) => new() { Generation = message.Generation, AfterStep = message.AfterStep },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation), GenerationFields.Step(wire.AfterStep, "after_step"))),
        WireFormat.Of<RoundClosed, Messages.RoundClosed>(
            "round-closed",
            (message, _) => new() { Generation = message.Generation, Layer = message.Layer, Replica = message.Replica },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                GenerationFields.Place(wire.Layer, "layer"),
                GenerationFields.Replica(wire.Replica))),
        WireFormat.Of<LayerFailed, Messages.LayerFailed>(
            "layer-failed", (message, _) => Write(message), (wire, _) => Read(wire)),
        WireFormat.Of<CaptureState, Messages.CaptureState>(
            "capture-state",
            (message, _) => new()
            {
                Generation = message.Generation,
                AfterStep = message.AfterStep,
                ParametersOnly = message.ParametersOnly,
                TrainsOn = message.TrainsOn,
            },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                GenerationFields.Step(wire.AfterStep, "after_step"),
                wire.ParametersOnly,
                wire.TrainsOn)),
        WireFormat.Of<CaptureNoted, Messages.CaptureNoted>(
            "capture-noted",
            (message, _) => new()
            {
                Generation = message.Generation,
                Node = message.Node,
                AfterStep = message.AfterStep,
            },
            (wire, _) => new(
                GenerationFields.Generation(wire.Generation),
                WireFields.Name(wire.Node, "node"),
                GenerationFields.Step(wire.AfterStep, "after_step"))),
    ];

    private static int EvaluationNumber(int value) => WireFields.Number(value, "number", 1, int.MaxValue);

    private static Messages.StepsJudged Write(StepsJudged message) => new()
    {
        Generation = message.Generation,
        Replica = message.Replica,
        Steps =
        {
            message.Steps.Select(step => new Messages.JudgedStep
            {
                Step = step.Step,
                LossSumBits = BitConverter.DoubleToUInt64Bits(step.LossSum),
                Correct = step.Correct,
            }),
        },
    };

    private static StepsJudged Read(Messages.StepsJudged wire) => new(
        GenerationFields.Generation(wire.Generation),
        GenerationFields.Replica(wire.Replica),
        [
            .. wire.Steps.Select(step => new JudgedStep(
                GenerationFields.Step(step.Step, "step"),
                BitConverter.UInt64BitsToDouble(step.LossSumBits),
                GenerationFields.Count(step.Correct, "correct"))),
        ]);

    private static Messages.Evaluated Write(Evaluated message) => new()
    {
        Generation = message.Generation,
        AfterStep = message.AfterStep,
        Number = message.Number,
        Replica = message.Replica,
        LossSumBits = BitConverter.DoubleToUInt64Bits(message.LossSum),
        Correct = message.Correct,
    };

    private static Evaluated Read(Messages.Evaluated wire) => new(
        GenerationFields.Generation(wire.Generation),
        GenerationFields.Step(wire.AfterStep, "after_step"),
        EvaluationNumber(wire.Number),
        GenerationFields.Replica(wire.Replica),
        BitConverter.UInt64BitsToDouble(wire.LossSumBits),
        GenerationFields.Count(wire.Correct, "correct"));

    // A job file does not bound the names of layers, and here the name is for people: that a layer failed must be heard.
    private static Messages.LayerFailed Write(LayerFailed message) => new()
    {
        Generation = message.Generation,
        Layer = WireFields.Cut(message.Layer),
        Step = message.Step,
        Reason = WireFields.Cut(message.Reason),
        IsFinal = message.IsFinal,
    };

    private static LayerFailed Read(Messages.LayerFailed wire) => new(
        GenerationFields.Generation(wire.Generation),
        WireFields.Text(wire.Layer, "layer", WireFields.MaxReason),
        GenerationFields.Step(wire.Step, "step"),
        WireFields.Reason(wire.Reason, "reason"),
        wire.IsFinal);
}
