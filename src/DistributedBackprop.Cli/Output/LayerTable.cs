using System.Globalization;
using DistributedBackprop.Training.Jobs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DistributedBackprop.Cli.Output;

/// <summary>The layers of a network: name, kind, inputs, output shape, parameters, and where each runs.</summary>
internal static class LayerTable
{
    public static IRenderable Of(RunDescription run)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumns("layer", "kind", "inputs", "output");
        table.AddColumn(new TableColumn("parameters").RightAligned());
        table.AddColumn("runs");
        foreach (var node in run.Graph.Nodes)
        {
            table.AddRow(
                node.Name.EscapeMarkup(),
                KindOf(node.Description.Kind).EscapeMarkup(),
                string.Join(", ", node.Description.Inputs).EscapeMarkup(),
                node.Layer.OutputShape.ToString().EscapeMarkup(),
                node.Layer.Parameters.Length.ToString("N0", CultureInfo.InvariantCulture),
                PlaceOf(run, run.StageOf[node.Index]).EscapeMarkup());
        }

        table.Columns[4].Footer = new Text(run.Graph.ParameterCount.ToString("N0", CultureInfo.InvariantCulture));
        return table;
    }

    private static string KindOf(LayerKind kind) => kind switch
    {
        DenseKind dense => dense.Activation is null ? "dense" : $"dense + {NameOf(dense.Activation)}",
        ActivationKind activation => NameOf(activation.Activation),
        DropoutKind dropout => string.Create(CultureInfo.InvariantCulture, $"dropout {dropout.Rate}"),
        FlattenKind => "flatten",
        AddKind => "add",
        ConcatKind concat => $"concat on axis {concat.Axis}",
        _ => kind.GetType().Name,
    };

    private static string NameOf(Activation activation)
    {
        var name = activation.Function.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private static string PlaceOf(RunDescription run, int stage)
    {
        var parallelism = run.Job.Parallelism;
        var copies = parallelism.Replicas == 1 ? "" : $", {parallelism.Replicas} replicas";
        var part = parallelism.Stages == 1 ? "" : $", stage {stage + 1} of {parallelism.Stages}";
        return $"this process{part}{copies}";
    }
}
