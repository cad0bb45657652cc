using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// An optimizer and its state: SGD, Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), element by element in
/// float32; corrections and rates in double, cast once.
/// </summary>
public sealed class PlainOptimizer
{
    private readonly OptimizerChoice _choice;
    private readonly PlainGraph _graph;
    private long _updates;

    /// <summary>An optimizer at its beginning.</summary>
    public PlainOptimizer(OptimizerChoice choice, PlainGraph graph)
    {
        (_choice, _graph) = (choice, graph);
        First = graph.Zeros();
        Second = graph.Zeros();
    }

    /// <summary>SGD's momentum buffer, Adam's first moment; <c>[parameter][element]</c>.</summary>
    public float[][] First { get; set; }

    /// <summary>Adam's second moment.</summary>
    public float[][] Second { get; set; }

    /// <summary>Begins anew: moments at +0, and the next update is the first.</summary>
    public void Reset()
    {
        First = _graph.Zeros();
        Second = _graph.Zeros();
        _updates = 0;
    }

    /// <summary>Updates all parameters in place.</summary>
    /// <param name="parameters">All of the graph's.</param>
    /// <param name="gradient">Of the same form.</param>
    /// <param name="rate">The job's learning rate at this step.</param>
    public void Update(float[][] parameters, float[][] gradient, double rate)
    {
        _updates++;
        for (var p = 0; p < parameters.Length; p++)
        {
            var layerRate = rate * _graph.Parameters[p].Layer.LearningRateFactor;
            for (var e = 0; e < parameters[p].Length; e++)
            {
                parameters[p][e] = _choice switch
                {
                    SgdChoice sgd => Sgd(sgd, parameters[p][e], gradient[p][e], ref First[p][e], layerRate),
                    AdamChoice adam =>
                        Adam(adam, parameters[p][e], gradient[p][e], ref First[p][e], ref Second[p][e], layerRate),
                    _ => throw new InvalidOperationException($"No interpretation of {_choice}."),
                };
            }
        }
    }

    private float Sgd(SgdChoice sgd, float p, float g, ref float buffer, double rate)
    {
        g = Decayed(sgd, p, g);
        var step = g;
        if (sgd.Momentum != 0)
        {
            var momentum = (float)sgd.Momentum;
            buffer = _updates == 1 ? g : MathF.FusedMultiplyAdd(momentum, buffer, g);
            step = sgd.Nesterov ? MathF.FusedMultiplyAdd(momentum, buffer, g) : buffer;
        }

        return MathF.FusedMultiplyAdd(-(float)rate, step, p);
    }

    private float Adam(AdamChoice adam, float p, float g, ref float m, ref float v, double rate)
    {
        if (adam is AdamWChoice)
        {
            p = p * (float)(1 - (rate * adam.WeightDecay));
        }
        else
        {
            g = Decayed(adam, p, g);
        }

        m = MathF.FusedMultiplyAdd((float)adam.Beta1, m, (float)(1 - adam.Beta1) * g);
        v = MathF.FusedMultiplyAdd((float)adam.Beta2, v, (float)(1 - adam.Beta2) * g * g);
        var s = (float)Math.Sqrt(1 - PlainMath.Power(adam.Beta2, _updates));
        var a = (float)(rate / (1 - PlainMath.Power(adam.Beta1, _updates)));
        return p - (a * m / ((MathF.Sqrt(v) / s) + (float)adam.Epsilon));
    }

    private static float Decayed(OptimizerChoice choice, float p, float g) =>
        choice.WeightDecay != 0 ? MathF.FusedMultiplyAdd((float)choice.WeightDecay, p, g) : g;
}
