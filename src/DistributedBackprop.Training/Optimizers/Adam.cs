using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Optimizers;

/// <summary>
/// Adam (Kingma and Ba 2015): m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²;
/// p ← p − (lr/(1−β₁ᵗ))·m / (√v/√(1−β₂ᵗ) + ε). As AdamW (Loshchilov and Hutter 2019) the decay is decoupled:
/// p ← p·(1 − lr·wd) comes first, and g stays as it is.
/// </summary>
/// <param name="choice">The settings; of the derived kind for AdamW.</param>
public sealed class Adam(AdamChoice choice) : Optimizer
{
    private readonly bool _decoupled = choice is AdamWChoice;

    /// <summary>The two moments.</summary>
    public override int Slots => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Update(long step, double learningRate, in OptimizerPart part)
    {
        var scalars = new Scalars(choice, _decoupled, step, learningRate);
        var parameters = part.Parameters;
        var gradient = part.Gradient;
        var first = part.First;
        var second = part.Second;
        var vectors = new Vectors(scalars);
        var i = 0;
        for (; i <= parameters.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var p = Vector256.Create<float>(parameters[i..]) * vectors.Shrink;
            var g = Vector256.Create<float>(gradient[i..]);
            if (scalars.Decay != 0)
            {
                g = Vector256.FusedMultiplyAdd(Vector256.Create(scalars.Decay), p, g);
            }

            var m = Vector256.FusedMultiplyAdd(vectors.Beta1, Vector256.Create<float>(first[i..]), vectors.Rest1 * g);
            var v = Vector256.FusedMultiplyAdd(vectors.Beta2, Vector256.Create<float>(second[i..]), vectors.Rest2 * g * g);
            m.CopyTo(first[i..]);
            v.CopyTo(second[i..]);
            var root = (Vector256.Sqrt(v) / vectors.Root) + vectors.Epsilon;
            (p - (vectors.Rate * m / root)).CopyTo(parameters[i..]);
        }

        for (; i < parameters.Length; i++)
        {
            var p = parameters[i] * scalars.Shrink;
            var g = scalars.Decay != 0 ? MathF.FusedMultiplyAdd(scalars.Decay, p, gradient[i]) : gradient[i];
            var m = MathF.FusedMultiplyAdd(scalars.Beta1, first[i], scalars.Rest1 * g);
            var v = MathF.FusedMultiplyAdd(scalars.Beta2, second[i], scalars.Rest2 * g * g);
            first[i] = m;
            second[i] = v;
            parameters[i] = p - (scalars.Rate * m / ((MathF.Sqrt(v) / scalars.Root) + scalars.Epsilon));
        }
    }

    /// <summary>What does not depend on the element: computed in double, cast once.</summary>
    private readonly struct Scalars(AdamChoice choice, bool decoupled, long step, double learningRate)
    {
        public readonly float Beta1 = (float)choice.Beta1;
        public readonly float Rest1 = (float)(1 - choice.Beta1);
        public readonly float Beta2 = (float)choice.Beta2;
        public readonly float Rest2 = (float)(1 - choice.Beta2);
        public readonly float Epsilon = (float)choice.Epsilon;
        public readonly float Root = (float)Math.Sqrt(1 - ElementaryDouble.PowerBySquaring(choice.Beta2, step));
        public readonly float Rate = (float)(learningRate / (1 - ElementaryDouble.PowerBySquaring(choice.Beta1, step)));

        // A product with 1 keeps every bit, so plain Adam shrinks by 1 and AdamW decays by 0.
        public readonly float Shrink = decoupled ? (float)(1 - (learningRate * choice.WeightDecay)) : 1;
        public readonly float Decay = decoupled ? 0 : (float)choice.WeightDecay;
    }

    private readonly struct Vectors(in Scalars scalars)
    {
        public readonly Vector256<float> Beta1 = Vector256.Create(scalars.Beta1);
        public readonly Vector256<float> Rest1 = Vector256.Create(scalars.Rest1);
        public readonly Vector256<float> Beta2 = Vector256.Create(scalars.Beta2);
        public readonly Vector256<float> Rest2 = Vector256.Create(scalars.Rest2);
        public readonly Vector256<float> Epsilon = Vector256.Create(scalars.Epsilon);
        public readonly Vector256<float> Root = Vector256.Create(scalars.Root);
        public readonly Vector256<float> Rate = Vector256.Create(scalars.Rate);
        public readonly Vector256<float> Shrink = Vector256.Create(scalars.Shrink);
    }
}
