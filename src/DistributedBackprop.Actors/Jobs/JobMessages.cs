using System.Collections.Immutable;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Wire;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// The job allows its replicas to train up to a step. Sent again until that step is judged: a replica that has reported
/// what it is asked for reports it again.
/// </summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="UpToStep">The last step allowed.</param>
/// <param name="Judged">The last step that all replicas have reported: it need not be reported again.</param>
public sealed record Grant(long Generation, long UpToStep, long Judged) : IGenerationMessage, IWireMessage;

/// <summary>A replica's slices of some steps have been judged by its loss. Said again it is the same report.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Replica">Which replica.</param>
/// <param name="Steps">The steps in their order.</param>
public sealed record StepsJudged(long Generation, int Replica, ImmutableArray<JudgedStep> Steps)
    : IGenerationMessage, IWireMessage;

/// <summary>What a loss says of a replica's slice of a step.</summary>
/// <param name="Step">Which step, from 1.</param>
/// <param name="LossSum">The sum of its examples' losses, before the update.</param>
/// <param name="Correct">How many of them were judged right.</param>
public sealed record JudgedStep(long Step, double LossSum, long Correct);

/// <summary>The job asks its replicas to judge their slices of the test set. Asked again, they answer again.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="AfterStep">With the parameters after this step.</param>
/// <param name="Number">Which evaluation after that step, from 1: a last round of averaging is followed by another one.</param>
public sealed record Evaluate(long Generation, long AfterStep, int Number) : IGenerationMessage, IWireMessage;

/// <summary>The answer to <see cref="Evaluate"/>.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="AfterStep">After which step.</param>
/// <param name="Number">Which evaluation after that step.</param>
/// <param name="Replica">Which replica.</param>
/// <param name="LossSum">The sum of its examples' losses.</param>
/// <param name="Correct">How many of them were judged right.</param>
public sealed record Evaluated(long Generation, long AfterStep, int Number, int Replica, double LossSum, long Correct)
    : IGenerationMessage, IWireMessage;

/// <summary>
/// The job ends between two rounds of parameter averaging: layers close the one that is open. Told again, they answer again.
/// </summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="AfterStep">The last step.</param>
public sealed record CloseRound(long Generation, long AfterStep) : IGenerationMessage, IWireMessage;

/// <summary>The answer to <see cref="CloseRound"/>.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Layer">The layer's place in graph order.</param>
/// <param name="Replica">Which replica's.</param>
public sealed record RoundClosed(long Generation, int Layer, int Replica) : IGenerationMessage, IWireMessage;

/// <summary>A layer cannot go on.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Layer">The layer's name.</param>
/// <param name="Step">At which step.</param>
/// <param name="Reason">Why, for people: the kind of the failure, a colon, and more.</param>
/// <param name="IsFinal">Whether it would be the same however often the step is computed: numbers that are not finite.</param>
public sealed record LayerFailed(long Generation, string Layer, long Step, string Reason, bool IsFinal)
    : IGenerationMessage, IWireMessage;
