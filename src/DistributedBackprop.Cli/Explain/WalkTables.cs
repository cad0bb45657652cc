using DistributedBackprop.Training.Explain;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DistributedBackprop.Cli.Explain;

/// <summary>The tables of the walk: all numbers of a small layer, of a large one how they are spread and the largest.</summary>
/// <param name="run">What is shown.</param>
internal sealed class WalkTables(ExplainedRun run)
{
    private const int Small = VectorJson.FewValues;
    private const int MostTerms = 4;
    private const int MostProducts = 12;
    private const string Bars = " ▁▂▃▄▅▆▇█";

    private Explanation Explanation => run.Explanation;

    private RecordedPass Pass => run.Pass;

    /// <summary>The layers and how they are connected.</summary>
    public IRenderable Network()
    {
        var table = Table("layer", "kind", "reads", "gives");
        foreach (var node in Pass.Graph.Nodes)
        {
            var function = run.ActivationOf(node.Index) is { } activation ? $" + {Words.Name(activation.Function)}" : "";
            var kind = Words.KindOf(node.Description.Kind);
            table.AddRow(Cells(
                node.Name,
                function.EndsWith(kind, StringComparison.Ordinal) ? kind : kind + function,
                string.Join(", ", node.Description.Inputs),
                node.Layer.OutputShape.ToString()));
        }

        return table;
    }

    /// <summary>A vector by itself.</summary>
    public static IRenderable Vector(string name, float[] values)
    {
        if (values.Length > Small)
        {
            return new Text($"  {name}: {Summed(values)}\n");
        }

        return new Text($"  {name}: {string.Join("  ", values.Select(value => Words.Number(value)))}\n");
    }

    /// <summary>A layer's outputs and the local derivatives it keeps.</summary>
    public IRenderable Forward(int layer)
    {
        var recorded = Pass.Layers[layer];
        if (recorded.Output.Length > Small)
        {
            var derivative = recorded.Derivative is null ? "" : $"\n  f′: {Summed(recorded.Derivative)}";
            return new Text($"  a: {Summed(recorded.Output)}{derivative}\n");
        }

        var table = recorded.Derivative is null ? Table("unit", "#a") : Table("unit", "#a", "#f′ kept");
        for (var unit = 0; unit < recorded.Output.Length; unit++)
        {
            var name = $"{recorded.Node.Name}[{unit}]";
            table.AddRow(recorded.Derivative is null
                ? Cells(name, Words.Number(recorded.Output[unit]))
                : Cells(name, Words.Number(recorded.Output[unit]), Words.Number(recorded.Derivative[unit])));
        }

        return table;
    }

    /// <summary>A layer's part of the table of deltas.</summary>
    public IRenderable Delta(int layer)
    {
        var recorded = Pass.Layers[layer];
        var inner = Explanation.Inner[layer];
        var hasFunction = !ReferenceEquals(inner, recorded.Delta);
        var isSmall = recorded.Delta.Length <= Small;
        var shown = isSmall
            ? Enumerable.Range(0, recorded.Delta.Length)
            : VectorSummary.Of(recorded.Delta).Largest.Select(entry => entry.Index);
        var table = hasFunction
            ? Table("entry", "#δ = ∂L/∂a", "as the sum it is", "#f′", "#δ·f′", "#read")
            : Table("entry", "#δ = ∂L/∂a", "as the sum it is", "#read");
        var reads = Words.Count(Explanation.ReadsOf(layer).All) + "×";
        foreach (var unit in shown)
        {
            string[] entry = [$"{recorded.Node.Name}[{unit}]", Words.Number(recorded.Delta[unit]), TermsOf(layer, unit)];
            var f = recorded.Derivative is null ? "" : Words.Number(recorded.Derivative[unit]);
            table.AddRow(hasFunction ? Cells([.. entry, f, Words.Number(inner[unit]), reads]) : Cells([.. entry, reads]));
        }

        return isSmall ? table : new Rows(new Text($"  δ: {Summed(recorded.Delta)}; the largest entries:"), table);
    }

    /// <summary>Gradients beside difference quotients.</summary>
    public IRenderable Gradient(int layer)
    {
        var gradient = Pass.Layers[layer].Gradient;
        var quotients = Explanation.Quotients[layer].Compared
            .OrderByDescending(quotient => Math.Abs(gradient[quotient.Parameter]))
            .Take(gradient.Length <= 2 * Small ? gradient.Length : MostProducts)
            .OrderBy(quotient => quotient.Parameter);
        var table = Table("parameter", "#δ", "#a", "#∂L/∂w = δ·a", "#(L(w+h) − L(w−h)) / 2h");
        foreach (var quotient in quotients)
        {
            var product = GradientProduct.Of(Explanation, layer, quotient.Parameter);
            table.AddRow(Cells(
                product.Name,
                product.Delta is { } delta ? Words.Number(delta) : "Σ",
                product.Activation is { } activation ? Words.Number(activation) : "Σ",
                Words.Number(gradient[quotient.Parameter]),
                Words.Number(quotient.Value)));
        }

        return table;
    }

    /// <summary>How the layers do over a batch.</summary>
    public IRenderable Health()
    {
        var table = Table("layer", "#size of δ", "#‖δ‖", "#‖g‖", "#‖g‖ / ‖w‖", "#dead", "#saturated", "");
        foreach (var health in run.Health)
        {
            table.AddRow(Cells(
                run.NameOf(health.Layer),
                Words.Number(health.DeltaSize),
                Words.Number(health.DeltaNorm),
                health.GradientNorm is { } gradient ? Words.Number(gradient) : "",
                health is { GradientNorm: { } g, ParameterNorm: > 0 and { } w } ? Words.Number(g / w) : "",
                health.Dead is { } dead ? Words.Percent(dead) : "",
                health.Saturated is { } saturated ? Words.Percent(saturated) : "",
                Words.Name(health.Verdict)));
        }

        return table;
    }

    private string TermsOf(int layer, int unit)
    {
        var terms = Explanation.TermsOf(layer, unit).OrderByDescending(term => Math.Abs(term.Product)).ToList();
        var shown = terms.Take(MostTerms).Select(term =>
        {
            var from = term.Consumer < 0 ? "the loss" : $"{run.NameOf(term.Consumer)}[{term.Unit}]";
            var isWeighted = term.Consumer >= 0 && Explanation.Rules[term.Consumer].IsDense;
            return isWeighted ? $"{Words.Number(term.Weight)}·{Words.Number(term.Delta)}" : $"{Words.Number(term.Delta)} from {from}";
        });
        var rest = terms.Count > MostTerms
            ? $" + {Words.Count(terms.Count - MostTerms)} more: {Words.Number(terms.Skip(MostTerms).Sum(term => term.Product))}"
            : "";
        return string.Join(" + ", shown) + rest;
    }

    private static string Summed(float[] values)
    {
        var summary = VectorSummary.Of(values);
        var most = Math.Max(1, summary.Histogram.Max());
        var histogram = string.Concat(summary.Histogram.Select(count => Bars[count == 0 ? 0 : 1 + (count * 7 / most)]));
        return $"{Words.Count(values.Length)} numbers, norm {Words.Number(summary.Norm)}, "
            + $"{Words.Number(summary.Least)} {histogram} {Words.Number(summary.Greatest)}";
    }

    // A name that begins with # is that of a column of numbers.
    private static Table Table(params ReadOnlySpan<string> columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
        {
            var isNumber = column.StartsWith('#');
            var header = new TableColumn((isNumber ? column[1..] : column).EscapeMarkup());
            table.AddColumn(isNumber ? header.RightAligned() : header);
        }

        return table;
    }

    private static string[] Cells(params string[] texts) => [.. texts.Select(text => text.EscapeMarkup())];
}
