using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Jobs;

public class ModelShapesTests
{
    private static Initializer Default { get; } = new(InitializerKind.Default);

    [Fact]
    public void Each_layer_has_the_shapes_of_what_goes_in_and_out()
    {
        var shapes = ModelShapes.Of(new Model(new Shape(3, 4),
        [
            new ModelLayer("dense1", ["input"], new DenseKind(5, null, true, Default)),
            new ModelLayer("relu1", ["dense1"], new ActivationKind(new Activation(ActivationFunction.Relu))),
            new ModelLayer("add1", ["relu1", "dense1", "dense1"], new AddKind()),
            new ModelLayer("concat1", ["add1", "input"], new ConcatKind(2)),
            new ModelLayer("concat2", ["concat1", "concat1"], new ConcatKind(1)),
            new ModelLayer("dropout1", ["concat2"], new DropoutKind(0.5)),
            new ModelLayer("flatten1", ["dropout1"], new FlattenKind()),
            new ModelLayer("dense2", ["flatten1"], new DenseKind(2, null, false, Default)),
        ]));

        shapes.Select(layer => layer.Output.ToString())
            .ShouldBe(["[3, 5]", "[3, 5]", "[3, 5]", "[3, 9]", "[6, 9]", "[6, 9]", "[54]", "[2]"]);
        shapes.Select(layer => layer.ParameterCount).ShouldBe([25, 0, 0, 0, 0, 0, 0, 108]);
        shapes[3].Inputs.ShouldBe([new Shape(3, 5), new Shape(3, 4)]);
    }

    [Fact]
    public void A_model_that_does_not_fit_is_told_by_its_layer()
    {
        Misfit(new ModelLayer("a", ["b"], new FlattenKind())).ShouldStartWith("a takes b, which is no earlier layer.");
        Misfit(new ModelLayer("a", ["input"], new AddKind())).ShouldStartWith("a needs at least 2 inputs (has 1)");
        Misfit(new ModelLayer("a", ["input", "input"], new ConcatKind(3)))
            .ShouldStartWith("a must have an axis from 1 to 2, counted with the batch as axis 0 (was 3)");
        Misfit(new ModelLayer("a", ["input"], new DenseKind(1 << 30, null, true, Default)))
            .ShouldStartWith("a would have more than 2147483647 parameters or outputs (its input is [3, 4])");
    }

    private static string Misfit(ModelLayer layer) =>
        Should.Throw<ArgumentException>(() => ModelShapes.Of(new Model(new Shape(3, 4), [layer]))).Message;
}
