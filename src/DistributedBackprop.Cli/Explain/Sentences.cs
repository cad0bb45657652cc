using DistributedBackprop.Training.Explain;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Explain;

/// <summary>What happens in each step, in plain language.</summary>
/// <param name="run">What is shown.</param>
internal sealed class Sentences(ExplainedRun run)
{
    private Explanation Explanation => run.Explanation;

    private RecordedPass Pass => run.Pass;

    /// <summary>Which example it is.</summary>
    public string Example()
    {
        var trained = run.Steps == 0 ? "with its first parameters" : $"after {Words.Steps(run.Steps)}";
        return $"Training example {run.Example} of {run.Run.Job.Name}, which is of class {Pass.Labels[0]}, goes through the network {trained}.{WhichReplica()}";
    }

    /// <summary>A layer goes forward.</summary>
    public string Forward(int layer)
    {
        var node = Pass.Graph.Nodes[layer];
        var rule = Explanation.Rules[layer];
        var sends = Words.Count(rule.Length, "number");
        return node.Description.Kind switch
        {
            DenseKind dense =>
                $"{node.Name} multiplies {Words.Count(rule.In, "number")} by its {Words.Count(rule.In * rule.Out, "weight")}"
                + $"{(rule.HasBias ? ", adds the bias" : "")}{(dense.Activation is null ? "" : $", applies {Words.Name(dense.Activation.Function)}")}"
                + $" and sends {sends} on. {Keeps(layer)}",
            ActivationKind kind => $"{node.Name} applies {Words.Name(kind.Activation.Function)} to {sends}. {Keeps(layer)}",
            DropoutKind => $"{node.Name} sets {Words.Count(Pass.Layers[layer].Derivative!.Count(factor => factor == 0))} of {sends} to zero and makes up for it in the others. What it multiplied by is its derivative: it keeps that.",
            AddKind => $"{node.Name} adds {string.Join(" and ", node.Description.Inputs)}. The derivative of a sum by each of its terms is 1: nothing is to be kept.",
            ConcatKind => $"{node.Name} lays {string.Join(" and ", node.Description.Inputs)} side by side. Each number keeps its place: nothing is to be kept.",
            _ => $"{node.Name} passes {sends} on in another shape.",
        };
    }

    /// <summary>The loss judges.</summary>
    public string Loss()
    {
        var right = Pass.Correct > 0 ? "The network is right" : "The network is wrong";
        var size = Pass.LossDelta.Length == 1
            ? $"its derivative by the output is {Words.Number(Pass.LossDelta[0])}"
            : $"its derivatives by the {Pass.LossDelta.Length} outputs";
        return $"{right}, and the loss, the cost of that answer, is {Words.Number(run.Loss)}. "
            + $"{char.ToUpperInvariant(size[0])}{size[1..]}{(Pass.LossDelta.Length == 1 ? ": that number begins" : " begin")} the way back.";
    }

    /// <summary>A layer's entry of the table is filled.</summary>
    public string Delta(int layer)
    {
        var node = Pass.Graph.Nodes[layer];
        var consumers = node.OutputEdges.Select(edge => Pass.Graph.Edges[edge].Consumer).ToList();
        var names = consumers.Select(consumer => run.NameOf(consumer == int.MaxValue ? -1 : consumer)).ToList();
        var from = names switch
        {
            [ExplainedRun.LossName] => $"{node.Name}'s delta comes from the loss itself: the first entry of the table.",
            [var one] => $"{node.Name}'s delta follows from {one}'s alone: whatever lies behind that is in there already.",
            _ => $"The graph forks here: {node.Name} is read by {string.Join(" and ", names)}, so their deltas are added.",
        };
        return $"{from} {Reads(layer)}";
    }

    /// <summary>A layer computes its gradient.</summary>
    public string Gradient(int layer)
    {
        var quotients = Explanation.Quotients[layer];
        var which = quotients.Compared.Length == quotients.Parameters
            ? $"all {Words.Count(quotients.Parameters)}"
            : $"{Words.Count(quotients.Compared.Length)} of {Words.Count(quotients.Parameters)}";
        return $"∂L/∂w = δ·a: the delta where a weight ends times the number where it begins. Difference quotients of a forward pass "
            + $"in double precision, for {which} parameters of {run.NameOf(layer)}, differ by {Words.Number(quotients.LargestDifference)} at most; "
            + $"the largest gradient is {Words.Number(quotients.LargestGradient)}.";
    }

    /// <summary>A layer updates.</summary>
    public string Update(int layer)
    {
        var effect = Explanation.Effects[layer];
        var formula = effect.IsPlain ? "−η‖g‖²" : "g·Δw";
        var verdict = (effect.Predicted, effect.Actual) switch
        {
            (0, 0) => "nothing was to change, and nothing did",
            ( < 0, > 0) => "it rose instead: the step was too long for a straight line, or the layers that moved before have bent it",
            var (predicted, actual) when Math.Abs(actual - predicted) <= 0.1 * Math.Abs(predicted) =>
                "the loss is nearly straight here, so the derivative told the truth",
            _ => "the loss is curved, and a derivative knows only the slope",
        };
        return $"{run.NameOf(layer)} moves. The derivative predicted {formula} = {Words.Number(effect.Predicted)} for the loss; "
            + $"it changed by {Words.Number(effect.Actual)}: {verdict}.";
    }

    /// <summary>With the table and without it.</summary>
    public string Count()
    {
        var count = Explanation.Count;
        var saved = count.WithTable.IsZero ? 0 : (double)count.WithoutTable / (double)count.WithTable;
        var without = $"without it, {Words.Count(count.WithoutTable)} over {Words.Count(count.Paths)} paths ({Words.Number(saved)} times as many)";
        return Explanation.WithoutTable is { } recursion
            ? $"With the table the way back took {Words.Count(count.WithTable)} multiplications; {without}. Both were really run, and the gradients differ by {Words.Number(LargestDifference(recursion))} at most."
            : $"With the table the way back took {Words.Count(count.WithTable)} multiplications; {without}. That second number is computed, not run: it would take too long.";
    }

    /// <summary>What the loss says of the batch.</summary>
    public string Judged()
    {
        var batch = run.Batch!;
        return $"Over {Words.Count(batch.Examples, "example")} from number {run.Example} on the mean loss is {Words.Number(run.LossOf(batch))}; "
            + $"{Words.Count(batch.Correct)} of them ({Words.Percent((double)batch.Correct / batch.Examples)}) are judged right.";
    }

    /// <summary>Of the batch: the layers that are not well, or that there are none.</summary>
    public IEnumerable<string> Remarkable() => run.Health
        .Where(health => health.Verdict != HealthVerdict.Fed)
        .Select(Health)
        .DefaultIfEmpty("No layer starves: deltas of ordinary size reach every one of them.");

    /// <summary>How a layer does over a batch.</summary>
    public string Health(LayerHealth health)
    {
        var name = run.NameOf(health.Layer);
        var output = run.Health[^1].DeltaSize;
        return health.Verdict switch
        {
            HealthVerdict.Starves when health.DeltaSize == 0 => $"{name} starves: no delta reaches it, it cannot learn.",
            HealthVerdict.Starves => $"{name} starves: its deltas are {Words.Number(output / health.DeltaSize)} times smaller than those at the output, so it hardly learns.",
            HealthVerdict.Explodes => $"{name} is flooded: its deltas are {Words.Number(health.DeltaSize / output)} times larger than those at the output.",
            HealthVerdict.Dead => $"{name} is mostly dead: {Words.Percent(health.Dead!.Value)} of its units are off for every example and learn nothing.",
            HealthVerdict.Saturated => $"{name} is saturated: {Words.Percent(health.Saturated!.Value)} of its activations lie where the function is flat, and deltas shrink there.",
            _ => $"{name} is fed: its deltas are about as large as those at the output, within a factor of {LayerHealth.Far:0}.",
        };
    }

    /// <summary>All of it.</summary>
    public string End() =>
        $"One example, one step: the loss goes from {Words.Number(Explanation.LossInDouble)} to {Words.Number(run.LossAfter)}; "
        + $"the derivatives predicted a change of {Words.Number(run.Predicted)}, it was {Words.Number(run.LossAfter - Explanation.LossInDouble)}."
        + (EndsRound ? " This step ends a round: the replicas go on from the mean of their parameters." : "");

    /// <summary>The largest difference between gradients with the table and without.</summary>
    public double LargestDifference(PathRecursion recursion) =>
        Pass.Layers.Max(layer => recursion.LargestDifference(layer.Node.Index));

    /// <summary>The local derivative of an activation, in terms of what is kept.</summary>
    public static string DerivativeOf(Activation activation) => activation.Function switch
    {
        ActivationFunction.Relu => "f′ = 1 where a > 0, else 0",
        ActivationFunction.LeakyRelu => $"f′ = 1 where a > 0, else {Words.Number(activation.Slope)}",
        ActivationFunction.Sigmoid => "f′ = a(1 − a)",
        ActivationFunction.Tanh => "f′ = 1 − a²",
        ActivationFunction.Softmax => "∂aⱼ/∂zᵢ = aⱼ([i = j] − aᵢ)",
        _ => "f′(z)",
    };

    private bool EndsRound => run.OwnWays is { } averaging
        && (Explanation.Step % averaging.Every == 0 || Explanation.Step == run.Run.Plan.TotalSteps);

    // Replicas that average gradients are all alike.
    private string WhichReplica() => run.OwnWays is { } averaging
        ? $" The {run.Run.Job.Parallelism.Replicas} replicas of this job average their parameters every {Words.Count(averaging.Every)} steps and go their own ways between:"
            + " what is shown is the first one, replica 0, with its own parameters and its own optimizer state."
        : "";

    private string Keeps(int layer) => run.ActivationOf(layer) is { } activation
        ? $"It keeps {DerivativeOf(activation)}: its part of the way back."
        : "Its derivative by its inputs is the weights themselves.";

    private string Reads(int layer)
    {
        var reads = Explanation.ReadsOf(layer);
        if (reads.All == 0)
        {
            return "Nobody reads it again: before this layer there is only the example.";
        }

        var by = (reads.ByGradients, reads.ByDeltas) switch
        {
            (0, var deltas) => $"by {Words.Count(deltas, "delta")} before it",
            (var gradients, 0) => $"by {Words.Count(gradients, "gradient")}",
            var (gradients, deltas) => $"by {Words.Count(gradients, "gradient")} and {Words.Count(deltas, "delta")} before it",
        };
        var length = Pass.Layers[layer].Delta.Length;
        var subject = length == 1 ? "It is" : $"Each of its {Words.Count(length)} numbers is";
        return $"{subject} computed once and read {Words.Count(reads.All, "time")}, {by}.";
    }
}
