using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// How wrong the network is: a layer with a target. It adds the examples' losses to a chain in double precision and
/// begins the way back with the delta of the step's mean loss.
/// </summary>
public abstract class Loss
{
    /// <summary>The loss as job files name it.</summary>
    public abstract string Name { get; }

    /// <summary>What the sum of losses is divided by for the mean: examples, or elements.</summary>
    /// <param name="examples">How many examples the sum is over.</param>
    public virtual double MeanOver(long examples) => examples;

    /// <summary>Judges a micro-batch and continues the chains.</summary>
    /// <param name="outputs">The network's outputs <c>[examples, …]</c>; borrowed.</param>
    /// <param name="labels">The class of each example.</param>
    /// <param name="stepExamples">Examples of the whole step over all replicas: the delta is that of their mean.</param>
    /// <param name="sum">Continued by each example's loss, in order.</param>
    /// <param name="correct">Continued by the number of examples judged right.</param>
    /// <param name="delta">Receives ∂(mean loss)/∂outputs, shaped as they are; null where no backward pass follows.</param>
    public abstract void Judge(
        Tensor outputs, ReadOnlySpan<int> labels, int stepExamples, ref double sum, ref long correct, Tensor? delta);

    /// <summary>The loss that a job names.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="output">The shape of the network's output for one example.</param>
    public static Loss Of(LossKind kind, Shape output)
    {
        ArgumentNullException.ThrowIfNull(output);
        return kind switch
        {
            LossKind.SoftmaxCrossEntropy => new SoftmaxCrossEntropy(),
            LossKind.MeanSquaredError => new MeanSquaredError(output.Length),
            LossKind.BinaryCrossEntropy => new BinaryCrossEntropy(output.Length),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown loss."),
        };
    }
}
