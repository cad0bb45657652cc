using System.Globalization;
using DistributedBackprop.Training.Explain;

namespace DistributedBackprop.Cli.Explain;

/// <summary>One gradient as the product it is: ∂L/∂w = δ·a, and of a bias δ·1.</summary>
/// <param name="Name">The parameter, e.g. <c>weight[2,0]</c>.</param>
/// <param name="Delta">δ·f′ of the unit that the weight leads to; null where it is applied to several rows: a sum of products.</param>
/// <param name="Activation">What the weight multiplies, 1 for a bias; null like the delta.</param>
internal sealed record GradientProduct(string Name, float? Delta, float? Activation)
{
    public static GradientProduct Of(Explanation explanation, int layer, int parameter)
    {
        var rule = explanation.Rules[layer];
        var source = rule.Node.Inputs[0];
        var input = source < 0 ? explanation.Pass.Features : explanation.Pass.Layers[source].Output;
        var weights = rule.In * rule.Out;
        var isWeight = parameter < weights;
        var (unit, from) = isWeight ? (parameter / rule.In, parameter % rule.In) : (parameter - weights, 0);
        var name = isWeight
            ? string.Create(CultureInfo.InvariantCulture, $"weight[{unit},{from}]")
            : string.Create(CultureInfo.InvariantCulture, $"bias[{unit}]");
        return rule.Rows == 1
            ? new GradientProduct(name, explanation.Inner[layer][unit], isWeight ? input[from] : 1)
            : new GradientProduct(name, null, null);
    }
}
