using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>
/// Watches a layer or a loss at work: it is told what happens when it happens, on the thread that does it. Training has
/// none, and pays nothing. All arguments are borrowed: what is to be kept must be copied before the call returns, and
/// nothing may be written.
/// </summary>
public interface IPassObserver
{
    /// <summary>A layer has gone forward.</summary>
    /// <param name="key">Which micro-batch.</param>
    /// <param name="node">The layer.</param>
    /// <param name="inputs">One <c>[examples, …]</c> per input.</param>
    /// <param name="parameters">What it was applied with.</param>
    /// <param name="output">What it sends to its consumers, <c>[examples, …]</c>.</param>
    /// <param name="pullback">The way back that it keeps; null in an evaluation.</param>
    void OnForward(
        MicroBatchKey key, GraphNode node, ReadOnlySpan<Tensor> inputs, Parameters parameters, Tensor output, Pullback? pullback);

    /// <summary>The loss has judged a micro-batch.</summary>
    /// <param name="key">Which micro-batch.</param>
    /// <param name="labels">The class of each example.</param>
    /// <param name="lossSum">The chain of losses so far in this step.</param>
    /// <param name="correct">How many examples of it were judged right so far.</param>
    /// <param name="delta">∂loss/∂output, which it sends back; null in an evaluation.</param>
    void OnJudged(MicroBatchKey key, ReadOnlySpan<int> labels, double lossSum, long correct, Tensor? delta);

    /// <summary>All consumers' deltas have come to a layer, which is about to add them.</summary>
    /// <param name="key">Which micro-batch.</param>
    /// <param name="node">The layer.</param>
    /// <param name="parts">One for each of <see cref="GraphNode.OutputEdges"/>, shaped as the output.</param>
    void OnDeltas(MicroBatchKey key, GraphNode node, ReadOnlySpan<Tensor> parts);

    /// <summary>A layer has added them: its entry of the table is there, and the pullback is about to read it.</summary>
    /// <param name="key">Which micro-batch.</param>
    /// <param name="node">The layer.</param>
    /// <param name="delta">∂loss/∂output, <c>[examples, …]</c>.</param>
    void OnDelta(MicroBatchKey key, GraphNode node, Tensor delta);

    /// <summary>A layer has gone backward.</summary>
    /// <param name="key">Which micro-batch.</param>
    /// <param name="node">The layer.</param>
    /// <param name="gradient">The gradient so far in this step.</param>
    void OnBackward(MicroBatchKey key, GraphNode node, Parameters gradient);

    /// <summary>A layer has updated: with its peers, or, where parameters are averaged, by itself and before a round.</summary>
    /// <param name="step">After which step.</param>
    /// <param name="node">The layer.</param>
    /// <param name="rate">Its learning rate in this step.</param>
    /// <param name="parameters">What it goes on with.</param>
    void OnUpdated(long step, GraphNode node, double rate, Parameters parameters);
}
