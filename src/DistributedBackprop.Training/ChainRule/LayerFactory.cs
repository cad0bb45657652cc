using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>Makes the layer that a job describes.</summary>
internal static class LayerFactory
{
    public static Layer Create(ModelLayer layer, IReadOnlyList<Shape> inputs, long seed) => layer.Kind switch
    {
        DenseKind dense => Dense(inputs[0], dense),
        ActivationKind activation => Activation(inputs[0], activation.Activation),
        DropoutKind dropout => new DropoutLayer(inputs[0], dropout.Rate, layer.Name, seed),
        FlattenKind => new FlattenLayer(inputs[0]),
        AddKind => new AddLayer(inputs[0]),
        ConcatKind concat => new ConcatLayer(inputs, concat.Axis),
        _ => throw new ArgumentOutOfRangeException(nameof(layer), layer.Kind, "Unknown kind of layer."),
    };

    private static Layer Activation(Shape input, Activation activation) => activation.Function == ActivationFunction.Softmax
        ? new SoftmaxLayer(input)
        : new ActivationLayer(input, activation);

    // What the output tells the derivative is fused; for the others the chain rule composes.
    private static Layer Dense(Shape input, DenseKind dense)
    {
        if (dense.Activation is null
            || (dense.Activation.Function != ActivationFunction.Softmax && ElementFunction.Of(dense.Activation).KeepsOutput))
        {
            return new DenseLayer(input, dense);
        }

        var linear = new DenseLayer(input, dense with { Activation = null });
        return new Sequential(linear, Activation(linear.OutputShape, dense.Activation));
    }
}
