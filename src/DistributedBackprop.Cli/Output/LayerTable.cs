using System.Globalization;
using DistributedBackprop.Training.Jobs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DistributedBackprop.Cli.Output;

/// <summary>The layers of a network: name, kind, inputs, output shape, parameters, and where each runs.</summary>
internal static class LayerTable
{
    /// <param name="run">What is trained.</param>
    /// <param name="placement">Where its stages run; null for this process.</param>
    public static IRenderable Of(RunDescription run, Placement? placement)
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
                PlaceOf(run, run.StageOf[node.Index], placement).EscapeMarkup());
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

    private static string PlaceOf(RunDescription run, int stage, Placement? placement)
    {
        var parallelism = run.Job.Parallelism;
        var part = parallelism.Stages == 1 ? "" : $", stage {stage + 1} of {parallelism.Stages}";
        if (placement is not null)
        {
            var nodes = Enumerable.Range(0, parallelism.Replicas).Select(replica => placement[replica, stage]).GroupBy(node => node);
            return string.Join(", ", nodes.Select(node => node.Count() == 1 ? node.Key : $"{node.Key} ×{node.Count()}")) + part;
        }

        var copies = parallelism.Replicas == 1 ? "" : $", {parallelism.Replicas} replicas";
        return $"this process{part}{copies}";
    }
}
