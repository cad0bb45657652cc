using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Optimizers;

/// <summary>
/// Stochastic gradient descent: g ← g + wd·p; buf ← g at step 1, then μ·buf + g; the step is buf, or g + μ·buf with
/// Nesterov; p ← p − lr·step. Formulas and defaults are those of PyTorch's <c>SGD</c>.
/// </summary>
/// <param name="choice">The settings.</param>
public sealed class Sgd(SgdChoice choice) : Optimizer
{
    private readonly float _momentum = (float)choice.Momentum;
    private readonly float _weightDecay = (float)choice.WeightDecay;
    private readonly bool _nesterov = choice.Nesterov;

    /// <summary>The momentum buffer, or none.</summary>
    public override int Slots => _momentum != 0 ? 1 : 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Update(long step, double learningRate, in OptimizerPart part)
    {
        var rate = -(float)learningRate;
        var parameters = part.Parameters;
        var gradient = part.Gradient;
        var buffer = part.First;
        var i = 0;
        for (; i <= parameters.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var p = Vector256.Create<float>(parameters[i..]);
            var g = Vector256.Create<float>(gradient[i..]);
            if (_weightDecay != 0)
            {
                g = Vector256.FusedMultiplyAdd(Vector256.Create(_weightDecay), p, g);
            }

            if (_momentum != 0)
            {
                var momentum = Vector256.Create(_momentum);
                var b = step == 1 ? g : Vector256.FusedMultiplyAdd(momentum, Vector256.Create<float>(buffer[i..]), g);
                b.CopyTo(buffer[i..]);
                g = _nesterov ? Vector256.FusedMultiplyAdd(momentum, b, g) : b;
            }

            Vector256.FusedMultiplyAdd(Vector256.Create(rate), g, p).CopyTo(parameters[i..]);
        }

        for (; i < parameters.Length; i++)
        {
            var p = parameters[i];
            var g = gradient[i];
            if (_weightDecay != 0)
            {
                g = MathF.FusedMultiplyAdd(_weightDecay, p, g);
            }

            if (_momentum != 0)
            {
                var b = step == 1 ? g : MathF.FusedMultiplyAdd(_momentum, buffer[i], g);
                buffer[i] = b;
                g = _nesterov ? MathF.FusedMultiplyAdd(_momentum, b, g) : b;
            }

            parameters[i] = MathF.FusedMultiplyAdd(rate, g, p);
        }
    }
}
