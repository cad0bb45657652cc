using System.Globalization;
using System.Text.Json;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Explain;

namespace DistributedBackprop.Cli.Explain;

/// <summary>The story as events, one JSON object each, in the order in which it happened: for programs and for the page.</summary>
/// <param name="run">What is shown.</param>
internal sealed class ExplainEvents(ExplainedRun run)
{
    // Weights are drawn and terms listed where a person can still read them.
    private const int MostWeights = 512;
    private const int MostEntries = 16;
    private const int MostTerms = 12;
    private const int MostProducts = 64;

    private readonly Sentences _sentences = new(run);

    private Explanation Explanation => run.Explanation;

    private RecordedPass Pass => run.Pass;

    /// <summary>Writes all events.</summary>
    /// <param name="event">Writes one: is given what writes its members.</param>
    public void WriteAll(Action<Action<Utf8JsonWriter>> @event)
    {
        @event(WriteExample);
        foreach (var moment in Pass.Moments)
        {
            @event(json => WriteMoment(json, moment));
        }

        @event(WriteCount);
        if (run.Batch is not null)
        {
            @event(WriteBatch);
        }

        foreach (var health in run.Health)
        {
            @event(json => WriteHealth(json, health));
        }

        @event(WriteEnd);
    }

    private void WriteMoment(Utf8JsonWriter json, PassMoment moment)
    {
        switch (moment.Kind)
        {
            case MomentKind.Forward:
                WriteForward(json, moment.Layer);
                break;
            case MomentKind.Loss:
                WriteLoss(json);
                break;
            case MomentKind.Delta:
                WriteDelta(json, moment.Layer);
                break;
            case MomentKind.Gradient:
                WriteGradient(json, moment.Layer);
                break;
            default:
                WriteUpdate(json, moment.Layer);
                break;
        }
    }

    private void WriteExample(Utf8JsonWriter json)
    {
        json.WriteString("event", "example");
        json.WriteString("job", run.Run.Job.Name);
        json.WriteNumber("example", run.Example);
        json.WriteNumber("steps", run.Steps);
        Whole(json, "replica", run.OwnWays is null ? null : 0);
        json.WriteNumber("label", Pass.Labels[0]);
        WriteShape(json, Pass.Graph.Input);
        VectorJson.Write(json, "input", Pass.Features);
        json.WriteString("loss", Words.Name(run.Run.Job.Loss));
        json.WriteNumber("parameters", Pass.Graph.ParameterCount);
        json.WriteStartArray("layers");
        foreach (var node in Pass.Graph.Nodes)
        {
            json.WriteStartObject();
            json.WriteString("name", node.Name);
            json.WriteString("kind", Words.KindOf(node.Description.Kind));
            WriteFunction(json, node.Index);
            WriteShape(json, node.Layer.OutputShape);
            json.WriteStartArray("inputs");
            foreach (var input in node.Description.Inputs)
            {
                json.WriteStringValue(input);
            }

            json.WriteEndArray();
            json.WriteNumber("parameters", node.Layer.Parameters.Length);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        Says(json, _sentences.Example());
    }

    private void WriteForward(Utf8JsonWriter json, int layer)
    {
        var recorded = Pass.Layers[layer];
        var rule = Explanation.Rules[layer];
        Begin(json, "forward", layer);
        VectorJson.Write(json, "output", recorded.Output);
        WriteFunction(json, layer);
        VectorJson.Write(json, "derivative", recorded.Derivative);
        if (rule.IsDense && rule.In * rule.Out <= MostWeights)
        {
            VectorJson.WriteValues(json, "weights", recorded.Before.AsSpan(0, rule.In * rule.Out));
            VectorJson.WriteValues(json, "bias", recorded.Before.AsSpan(rule.In * rule.Out));
        }
        else
        {
            json.WriteNull("weights");
            json.WriteNull("bias");
        }

        Says(json, _sentences.Forward(layer));
    }

    private void WriteLoss(Utf8JsonWriter json)
    {
        json.WriteString("event", "loss");
        json.WriteString("loss", Words.Name(run.Run.Job.Loss));
        json.WriteNumber("label", Pass.Labels[0]);
        json.WriteNumber("value", run.Loss);
        json.WriteBoolean("correct", Pass.Correct > 0);
        VectorJson.Write(json, "delta", Pass.LossDelta);
        Says(json, _sentences.Loss());
    }

    private void WriteDelta(Utf8JsonWriter json, int layer)
    {
        var recorded = Pass.Layers[layer];
        var inner = Explanation.Inner[layer];
        Begin(json, "delta", layer);
        VectorJson.Write(json, "delta", recorded.Delta);
        VectorJson.Write(json, "inner", ReferenceEquals(inner, recorded.Delta) ? null : inner);
        WriteParts(json, recorded);
        WriteEntries(json, recorded);
        var reads = Explanation.ReadsOf(layer);
        json.WriteStartObject("reads");
        json.WriteNumber("gradients", reads.ByGradients);
        json.WriteNumber("deltas", reads.ByDeltas);
        json.WriteEndObject();
        Says(json, _sentences.Delta(layer));
    }

    private void WriteParts(Utf8JsonWriter json, RecordedLayer recorded)
    {
        json.WriteStartArray("parts");
        for (var part = 0; part < recorded.DeltaParts.Length; part++)
        {
            var consumer = Pass.Graph.Edges[recorded.Node.OutputEdges[part]].Consumer;
            json.WriteStartObject();
            json.WriteString("from", run.NameOf(consumer == GraphEdge.Loss ? -1 : consumer));
            VectorJson.Write(json, "delta", recorded.DeltaParts[part]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // δ as the sum it is: all entries of a small layer, the largest of a large one.
    private void WriteEntries(Utf8JsonWriter json, RecordedLayer recorded)
    {
        json.WriteStartArray("entries");
        var shown = recorded.Delta.Length <= MostEntries
            ? Enumerable.Range(0, recorded.Delta.Length)
            : VectorSummary.Of(recorded.Delta).Largest.Select(entry => entry.Index);
        foreach (var element in shown)
        {
            var terms = Explanation.TermsOf(recorded.Node.Index, element).OrderByDescending(term => Math.Abs(term.Product)).ToList();
            json.WriteStartObject();
            json.WriteNumber("index", element);
            json.WriteNumber("delta", recorded.Delta[element]);
            json.WriteNumber("inner", Explanation.Inner[recorded.Node.Index][element]);
            json.WriteStartArray("terms");
            foreach (var term in terms.Take(MostTerms))
            {
                json.WriteStartObject();
                json.WriteString("from", run.NameOf(term.Consumer));
                json.WriteNumber("unit", term.Unit);
                json.WriteNumber("weight", term.Weight);
                json.WriteNumber("delta", term.Delta);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("otherTerms", Math.Max(0, terms.Count - MostTerms));
            json.WriteNumber("otherSum", terms.Skip(MostTerms).Sum(term => term.Product));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteGradient(Utf8JsonWriter json, int layer)
    {
        var quotients = Explanation.Quotients[layer];
        Begin(json, "gradient", layer);
        VectorJson.Write(json, "gradient", Pass.Layers[layer].Gradient);
        WriteProducts(json, layer, quotients);
        json.WriteStartObject("quotients");
        json.WriteNumber("compared", quotients.Compared.Length);
        json.WriteNumber("parameters", quotients.Parameters);
        json.WriteNumber("atKinks", quotients.AtKinks);
        json.WriteNumber("largestDifference", quotients.LargestDifference);
        json.WriteNumber("largestGradient", quotients.LargestGradient);
        json.WriteEndObject();
        Says(json, _sentences.Gradient(layer));
    }

    private void WriteProducts(Utf8JsonWriter json, int layer, DifferenceQuotients quotients)
    {
        var gradient = Pass.Layers[layer].Gradient;
        var shown = quotients.Compared.OrderByDescending(quotient => Math.Abs(gradient[quotient.Parameter]))
            .Take(gradient.Length <= MostProducts ? MostProducts : MostEntries / 2)
            .OrderBy(quotient => gradient.Length <= MostProducts ? quotient.Parameter : 0);
        json.WriteStartArray("products");
        foreach (var quotient in shown)
        {
            var product = GradientProduct.Of(Explanation, layer, quotient.Parameter);
            json.WriteStartObject();
            json.WriteString("parameter", product.Name);
            Single(json, "delta", product.Delta);
            Single(json, "activation", product.Activation);
            json.WriteNumber("gradient", gradient[quotient.Parameter]);
            json.WriteNumber("quotient", quotient.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteUpdate(Utf8JsonWriter json, int layer)
    {
        var effect = Explanation.Effects[layer];
        Begin(json, "update", layer);
        json.WriteNumber("rate", effect.Rate);
        json.WriteNumber("gradientNorm", effect.GradientNorm);
        json.WriteBoolean("plain", effect.IsPlain);
        json.WriteNumber("predicted", effect.Predicted);
        Finite(json, "actual", effect.Actual);
        json.WriteNumber("lossBefore", effect.LossBefore);
        Finite(json, "lossAfter", effect.LossAfter);
        Says(json, _sentences.Update(layer));
    }

    // Exact, however large: as text, because numbers in JSON seldom survive beyond 2⁵³.
    private void WriteCount(Utf8JsonWriter json)
    {
        var (count, recursion) = (Explanation.Count, Explanation.WithoutTable);
        json.WriteString("event", "count");
        json.WriteString("withTable", count.WithTable.ToString(CultureInfo.InvariantCulture));
        json.WriteString("withoutTable", count.WithoutTable.ToString(CultureInfo.InvariantCulture));
        json.WriteString("paths", count.Paths.ToString(CultureInfo.InvariantCulture));
        json.WriteBoolean("run", recursion is not null);
        Finite(json, "largestDifference", recursion is null ? null : _sentences.LargestDifference(recursion));
        Says(json, _sentences.Count());
    }

    private void WriteBatch(Utf8JsonWriter json)
    {
        var batch = run.Batch!;
        json.WriteString("event", "batch");
        json.WriteNumber("examples", batch.Examples);
        Finite(json, "loss", run.LossOf(batch));
        json.WriteNumber("correct", batch.Correct);
        json.WriteNumber("accuracy", (double)batch.Correct / batch.Examples);
        Says(json, $"{_sentences.Judged()} {string.Join(' ', _sentences.Remarkable())}");
    }

    private void WriteHealth(Utf8JsonWriter json, LayerHealth health)
    {
        Begin(json, "health", health.Layer);
        json.WriteNumber("examples", run.Batch!.Examples);
        json.WriteNumber("deltaSize", health.DeltaSize);
        json.WriteNumber("deltaNorm", health.DeltaNorm);
        Finite(json, "gradientNorm", health.GradientNorm);
        Finite(json, "parameterNorm", health.ParameterNorm);
        Finite(json, "dead", health.Dead);
        Finite(json, "saturated", health.Saturated);
        json.WriteString("verdict", Words.Name(health.Verdict));
        Says(json, _sentences.Health(health));
    }

    private void WriteEnd(Utf8JsonWriter json)
    {
        json.WriteString("event", "explained");
        json.WriteString("job", run.Run.Job.Name);
        json.WriteNumber("example", run.Example);
        json.WriteNumber("step", Explanation.Step);
        json.WriteNumber("lossBefore", Explanation.LossInDouble);
        Finite(json, "lossAfter", run.LossAfter);
        Finite(json, "predicted", run.Predicted);
        Says(json, _sentences.End());
    }

    private void Begin(Utf8JsonWriter json, string word, int layer)
    {
        json.WriteString("event", word);
        json.WriteString("layer", run.NameOf(layer));
    }

    private void WriteFunction(Utf8JsonWriter json, int layer)
    {
        if (run.ActivationOf(layer) is { } activation)
        {
            json.WriteString("function", Words.Name(activation.Function));
        }
        else
        {
            json.WriteNull("function");
        }
    }

    private static void WriteShape(Utf8JsonWriter json, Training.Tensors.Shape shape)
    {
        json.WriteStartArray("shape");
        foreach (var axis in shape.Axes)
        {
            json.WriteNumberValue(axis);
        }

        json.WriteEndArray();
    }

    private static void Says(Utf8JsonWriter json, string sentence) => json.WriteString("says", sentence);

    // As float32 in its shortest form, not widened.
    private static void Single(Utf8JsonWriter json, string name, float? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static void Whole(Utf8JsonWriter json, string name, int? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static void Finite(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
