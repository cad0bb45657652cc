using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// A fully connected layer on the last axis: y = f(x·Wᵀ + b), with weight <c>[out, in]</c> and bias <c>[out]</c>. The
/// activation f is fused where its derivative follows from the output; others are composed (<see cref="Sequential"/>).
/// </summary>
public sealed class DenseLayer : Layer
{
    private readonly DenseKind _kind;
    private readonly ElementFunction? _activation;
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot? _bias;

    /// <summary>Makes the layer.</summary>
    /// <param name="input">The shape of its input for one example, at least one axis.</param>
    /// <param name="kind">Its options; of the activation only what is fused.</param>
    public DenseLayer(Shape input, DenseKind kind)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(kind);
        _kind = kind;
        _activation = kind.Activation is null ? null : ElementFunction.Of(kind.Activation);
        if (_activation is { KeepsOutput: false })
        {
            throw new ArgumentException($"{kind.Activation} needs the layer's input for its derivative: compose it.", nameof(kind));
        }

        In = input[^1];
        Out = kind.Units;
        OutputShape = new Shape([.. input.Axes.AsSpan()[..^1], Out]);
        Parameters = kind.Bias
            ? new ParameterLayout([("weight", new Shape(Out, In)), ("bias", new Shape(Out))])
            : new ParameterLayout([("weight", new Shape(Out, In))]);
        _weight = Parameters.Slots[0];
        _bias = kind.Bias ? Parameters.Slots[1] : null;
        PackedLength = MatrixProduct.PackedLength(Out, In);
    }

    /// <inheritdoc/>
    public override string Kind => "dense";

    /// <summary>Inputs of one row.</summary>
    public int In { get; }

    /// <summary>Outputs of one row.</summary>
    public int Out { get; }

    /// <inheritdoc/>
    public override Shape OutputShape { get; }

    /// <inheritdoc/>
    public override ParameterLayout Parameters { get; }

    /// <inheritdoc/>
    public override int PackedLength { get; }

    /// <summary>One panel of packed weights: a cut never falls within one.</summary>
    public override int UpdateBlock => checked(WeightPacking.PanelColumns * In);

    /// <inheritdoc/>
    public override long WorkPerExample => (long)OutputShape.Length * In;

    /// <inheritdoc/>
    public override void Initialize(Parameters parameters, string name, long seed) =>
        Initialization.Fill(parameters, _kind.Initializer, name, seed, fanIn: In, fanOut: Out);

    /// <inheritdoc/>
    public override unsafe void Prepare(Parameters parameters, int start, int length)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var firstRow = start / In;
        var rows = Math.Min(Out - firstRow, (length + In - 1) / In);
        if (rows > 0)
        {
            WeightPacking.PackRows(parameters.Vector.Pointer, Out, In, parameters.Packed!.Pointer, firstRow, rows);
        }
    }

    /// <inheritdoc/>
    public override unsafe (Tensor Output, Pullback? Pullback) Forward(
        Parameters parameters, ReadOnlySpan<Tensor> inputs, in ForwardPass pass)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var input = inputs[0];
        var rows = input.Length / In;
        var output = Tensor.Rent(pass.Workspace.Pool, OutputShape.Stacked(input.Shape[0]));
        var isRelu = _activation is Relu;
        MatrixProduct.Forward(
            pass.Workspace.Tiles,
            input.Pointer,
            parameters.Packed!.Pointer,
            _bias is null ? null : parameters.Vector.Pointer + _bias.Offset,
            isRelu,
            output.Pointer,
            rows,
            Out,
            In);
        if (_activation is not null && !isRelu)
        {
            _activation.Apply(output.Floats);
        }

        return (output, pass.IsTraining ? new Way(this, parameters, input, output) : null);
    }

    /// <summary>Back through f, then δx = δ·W, ∂W += δᵀ·x, ∂b += Σ δ.</summary>
    private sealed class Way : Pullback
    {
        private readonly DenseLayer _layer;
        private readonly Parameters _parameters;
        private readonly Tensor _input;
        private readonly Tensor? _output;

        public Way(DenseLayer layer, Parameters parameters, Tensor input, Tensor output)
        {
            _layer = layer;
            _parameters = parameters.Share();
            _input = input.Share();
            _output = layer._activation is null ? null : output.Share();
        }

        public override bool? IsInputFinite(int input) => _input.IsFinite;

        public override bool TryWriteDerivative(Span<float> derivative)
        {
            _layer._activation?.WriteDerivative(_output!.Floats, derivative);
            return _output is not null;
        }

        public override unsafe void Apply(Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas)
        {
            if (_output is not null)
            {
                delta = delta.ToSole();
                _layer._activation!.Pull(_output.Floats, delta.Floats);
            }

            var rows = _input.Length / _layer.In;
            inputDeltas[0] = null;
            if (pass.InputDeltaWanted.Span[0])
            {
                var inputDelta = Tensor.Rent(pass.Workspace.Pool, _input.Shape);
                MatrixProduct.InputDelta(
                    pass.Workspace.Tiles, delta.Pointer, _parameters.Vector.Pointer, inputDelta.Pointer, rows, _layer.Out, _layer.In);
                inputDeltas[0] = inputDelta;
            }

            var gradient = pass.Gradient.Vector.Pointer;
            MatrixProduct.WeightGradient(
                pass.Workspace.Tiles,
                delta.Pointer,
                _input.Pointer,
                gradient,
                _layer._bias is null ? null : gradient + _layer._bias.Offset,
                pass.Continues,
                rows,
                _layer.Out,
                _layer.In);
            delta.Dispose();
        }

        protected override void Dispose(bool disposing)
        {
            _parameters.Dispose();
            _input.Dispose();
            _output?.Dispose();
        }
    }
}
