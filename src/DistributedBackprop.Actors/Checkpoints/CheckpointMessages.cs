using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Checkpoints;

/// <summary>
/// The job asks the layers of a node for their state after a step that none of them has passed; each sends it as
/// <see cref="StatePart"/>s. The answer is <see cref="CaptureNoted"/>; asked again, nothing is sent twice.
/// </summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="AfterStep">With the update of this step.</param>
/// <param name="ParametersOnly">Whether only parameters are wanted: the end of a job.</param>
/// <param name="TrainsOn">Whether the layers go on from there: what they would write is copied.</param>
public sealed record CaptureState(long Generation, long AfterStep, bool ParametersOnly, bool TrainsOn)
    : IGenerationMessage, IWireMessage;

/// <summary>The answer to <see cref="CaptureState"/>: the layers of a node know of it, before any of them passes that step.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Node">Who answers.</param>
/// <param name="AfterStep">After which step.</param>
public sealed record CaptureNoted(long Generation, string Node, long AfterStep) : IGenerationMessage, IWireMessage;

/// <summary>A part of the state of a job after a step, on its way to or from whoever keeps it.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Step">After which step.</param>
/// <param name="Vector">Of which vector.</param>
/// <param name="Start">Its first element in the vector.</param>
/// <param name="Value">The elements; the receiver owns them, and nobody writes them any more.</param>
public sealed record StatePart(long Generation, long Step, StateVector Vector, int Start, Tensor Value)
    : IGenerationMessage, INoSerializationVerificationNeeded;
