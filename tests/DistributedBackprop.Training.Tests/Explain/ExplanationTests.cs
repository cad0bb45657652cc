using CsCheck;
using DistributedBackprop.Training.Explain;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Training.Tests.Explain;

/// <summary>What is computed from a record, against opinions that share nothing with it.</summary>
public sealed class ExplanationTests
{
    [Fact]
    public void Losses_and_difference_quotients_are_those_of_the_double_reference()
    {
        new RandomJobs().Sample(
            random =>
            {
                var pass = PassByLoop.Record(random);
                var network = new DoubleNetwork(random.Job, pass);
                var reference = Reference(random, pass);
                network.BaseLoss.ShouldBe(reference.Loss, 1e-12 * Math.Max(1, Math.Abs(reference.Loss)));
                foreach (var quotients in DifferenceQuotients.Of(network, pass))
                {
                    var gradient = GradientOf(pass.Layers[quotients.Layer], reference);
                    var largest = gradient.Max(Math.Abs);
                    foreach (var quotient in quotients.Compared)
                    {
                        quotient.Value.ShouldBe(gradient[quotient.Parameter], 1e-5 * Math.Max(largest, 1e-2));
                    }
                }
            },
            iter: 200,
            threads: 1);
    }

    [Fact]
    public void Plain_descent_is_predicted_by_the_gradients_norm()
    {
        var plain = 0;
        new RandomJobs().Sample(
            random =>
            {
                var pass = PassByLoop.Record(random);
                var explanation = new Explanation(random.Job, 1, pass);
                foreach (var effect in explanation.Effects.Values.Where(effect => effect.IsPlain))
                {
                    plain++;
                    var expected = -effect.Rate * effect.GradientNorm * effect.GradientNorm;
                    effect.Predicted.ShouldBe(expected, 1e-3 * Math.Max(Math.Abs(expected), 1e-4));
                }
            },
            iter: 100,
            threads: 1);
        plain.ShouldBeGreaterThan(5);
    }

    [Fact]
    public void A_short_step_changes_the_loss_as_predicted()
    {
        var predicted = 0;
        new RandomJobs().Sample(
            random =>
            {
                var optimizer = new SgdChoice { LearningRate = new ConstantRate(1e-5) };
                var job = random.Job with { Optimizer = optimizer };
                var pass = PassByLoop.Record(random with { Job = job });
                var explanation = new Explanation(job, 1, pass);

                // At a kink, where weights that begin as zeros put a relu, no derivative says what comes.
                if (explanation.Quotients.Values.Any(quotients => quotients.AtKinks > 0))
                {
                    return;
                }

                predicted += explanation.Effects.Count;
                foreach (var effect in explanation.Effects.Values.Where(effect => effect.GradientNorm < 5))
                {
                    // Curvature has a say of order η², and so have the layers that moved before.
                    effect.Actual.ShouldBe(effect.Predicted, (0.2 * Math.Abs(effect.Predicted)) + 2e-6);
                }
            },
            iter: 100,
            threads: 1);
        predicted.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Entries_are_read_as_often_as_multiplications_say()
    {
        var pass = PassByLoop.Record(XorJob(8), [[0.2f, 0.9f]], [1]);
        var explanation = new Explanation(XorJob(8), 1, pass);
        explanation.ReadsOf(0).ShouldBe(new TableReads(ByGradients: 3, ByDeltas: 0));
        explanation.ReadsOf(1).ShouldBe(new TableReads(ByGradients: 9, ByDeltas: 8));
        explanation.Quotients[0].Compared.Length.ShouldBe(24);
        explanation.WithoutTable.ShouldNotBeNull();
        pass.Moments.Where(moment => moment.Kind == MomentKind.Delta).Select(moment => moment.Layer).ShouldBe([1, 0]);
    }

    [Fact]
    public void A_record_of_several_examples_has_no_rules() =>
        Should.Throw<ArgumentException>(() => LayerRule.Of(PassByLoop.Record(XorJob(2), [[0, 0], [1, 1]], [0, 0])))
            .Message.ShouldContain("one example");

    [Fact]
    public void A_summary_counts_every_element()
    {
        Gen.Float[-10, 10].Array[1, 200].Sample(values =>
        {
            var summary = VectorSummary.Of(values);
            summary.Histogram.Sum().ShouldBe(values.Length);
            summary.Least.ShouldBe(values.Min());
            summary.Greatest.ShouldBe(values.Max());
            summary.Norm.ShouldBe(Math.Sqrt(values.Sum(value => (double)value * value)), 1e-9);
            summary.Largest.Select(entry => Math.Abs(entry.Value))
                .ShouldBe(values.Select(Math.Abs).OrderDescending().Take(summary.Largest.Length));
        });
        VectorSummary.Of([]).Length.ShouldBe(0);
    }

    internal static TrainingJob XorJob(int units) => JobFile.Parse("job.yaml", $$"""
        name: xor
        data: { format: xor, train: { examples: 4 } }
        model:
          input: [2]
          layers:
            - dense: { units: {{units}}, activation: tanh }
            - dense: { units: 1 }
        loss: binaryCrossEntropy
        optimizer: { sgd: { learningRate: 0.1 } }
        training: { batchSize: 1, epochs: 1 }
        """).Job!;

    private static DoubleDerivatives Reference(RandomJob random, RecordedPass pass)
    {
        var layers = pass.Layers.ToDictionary(layer => layer.Node.Name);
        var parameters = pass.Layers.SelectMany(layer => layer.Node.Layer.Parameters.Slots.Select(slot => (
                Name: $"{layer.Node.Name}.{slot.Name}",
                Values: layer.Before.AsSpan(slot.Offset, slot.Shape.Length).ToArray().Select(value => (double)value).ToArray())))
            .ToDictionary(parameter => parameter.Name, parameter => parameter.Values);
        var reference = new DoubleReference(
            random.Job.Model, random.Job.Loss, (layer, _, element) => layers[layer].Derivative![element] == 0);
        return reference.Evaluate(
            parameters, [[.. random.Data.TrainFeatures[0].Select(value => (double)value)]], random.Data.TrainLabels[..1]);
    }

    private static double[] GradientOf(RecordedLayer layer, DoubleDerivatives reference) =>
        [.. layer.Node.Layer.Parameters.Slots.SelectMany(slot => reference.Gradient[$"{layer.Node.Name}.{slot.Name}"])];
}
