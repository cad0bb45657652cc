using CsCheck;
using DistributedBackprop.Actors.Explain;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Explain;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Explain;

/// <summary>
/// What is shown of a layer is what training computes, bit for bit; and what follows from it agrees with opinions that
/// share nothing with it.
/// </summary>
public sealed class ExplainEqualityTests(LocalNodes nodes) : IClassFixture<LocalNodes>
{
    [Fact]
    public void A_hundred_random_graphs_show_the_bits_of_the_plain_interpreter() =>
        Gen.Select(new RandomJobs(), Gen.Int[0, 3], Gen.Int[0, 999], Gen.Int[1, 3]).Sample(
            (random, steps, example, count) =>
            {
                Compare(random, steps, example, count);
            },
            iter: 100,
            threads: 1);

    [Fact]
    public void With_parameter_averaging_they_are_those_of_the_first_replica_within_a_round_and_at_its_end()
    {
        var seen = new HashSet<(bool IsWithinRound, bool EndsRound, Type Optimizer)>();
        Gen.Select(new RandomJobs(averagesParameters: true), Gen.Int[0, 6], Gen.Int[0, 999]).Sample(
            (random, steps, example) =>
            {
                if (Compare(random, steps, example, 1))
                {
                    var every = ((ParameterAveraging)random.Job.Parallelism.Averaging).Every;
                    seen.Add((steps % every != 0, (steps + 1) % every == 0, random.Job.Optimizer.GetType()));
                }
            },
            iter: 150,
            threads: 1);
        seen.Count.ShouldBe(2 * 2 * 3, "after a round and within one, with a round to follow and without, by every optimizer");
    }

    [SkippableTheory]
    [InlineData("xor", 0, 3)]
    [InlineData("xor", 20, 0)]
    [InlineData("spirals", 5, 7)]
    [InlineData("digits", 1, 1)]
    [InlineData("residual", 0, 2)]
    [InlineData("residual", 2, 9)]
    [InlineData("mnist10k", 1, 5)]
    public async Task Example_jobs_show_the_bits_of_the_plain_interpreter(string name, int steps, int example)
    {
        var (job, data) = ExampleJobs.Load(name);
        var plain = new PlainData(ExampleJobs.FeaturesOf(data.Train, data.Factor), data.Train.Labels.ToArray());
        var pass = await RecordAsync(job, data, steps, example, 1);
        ShouldEqual(pass.ShouldBeOfType<RecordedPass>(), PlainExample.Of(job, plain, steps, isEnd: false, example, 1), hasAfter: true);
        ShouldBeConsistent(new Explanation(job, steps + 1, (RecordedPass)pass));
    }

    [Fact]
    public void No_explanation_leaves_a_tensor_behind()
    {
        A_hundred_random_graphs_show_the_bits_of_the_plain_interpreter();
        nodes[2].Pool.Outstanding.ShouldBe(0);
        nodes[2].Pool.Leaked.ShouldBe(0);
    }

    // Returns whether there was something to compare.
    private bool Compare(RandomJob random, int steps, int example, int count)
    {
        var (job, data) = (random.Job, random.Data);
        steps = (int)Math.Min(steps, PlainBatches.TotalSteps(job.Training, data.TrainLabels.Length));
        count = Math.Min(count, data.TrainLabels.Length);
        example %= data.TrainLabels.Length - count + 1;
        var set = new DataSet(
            Examples.OfFloats(job.Model.Input, [.. data.TrainFeatures.SelectMany(features => features)], data.TrainLabels),
            data.TestFeatures is null
                ? null
                : Examples.OfFloats(job.Model.Input, [.. data.TestFeatures.SelectMany(features => features)], data.TestLabels!));
        var answer = RecordAsync(job, set, steps, example, count).GetAwaiter().GetResult();
        if (answer is NotExplained failed)
        {
            // Random rates may diverge on the way there.
            failed.Reason.ShouldContain("finite");
            return false;
        }

        var end = PlainInterpreter.Run(job, data).StepLosses.Count;
        if (steps > end)
        {
            answer.ShouldBe(new JobEndsBefore(end));
            return false;
        }

        var expected = PlainExample.Of(job, data, steps, steps == end, example, count);
        var pass = answer.ShouldBeOfType<RecordedPass>();

        // The interpreter's replicas would share the examples, which are watched in one.
        var hasAfter = count == 1 || job.Parallelism.Replicas == 1;
        ShouldEqual(pass, expected, hasAfter);
        if (count == 1)
        {
            ShouldBeConsistent(new Explanation(job, steps + 1, pass));
        }

        return true;
    }

    private async Task<object> RecordAsync(TrainingJob job, DataSet data, int steps, int example, int count)
    {
        var run = new JobRun("explained", job, Graph.Of(job.Model, job.Seed), data, null);
        var order = new ExplainOrder(run, steps, [WatchedRun.Of(run, example, count)]);
        var answer = await nodes[2].ExplainAsync(order).WaitAsync(TimeSpan.FromMinutes(2));
        return answer is Explained explained ? explained.Passes.Single() : answer;
    }

    private static void ShouldEqual(RecordedPass pass, PlainExample expected, bool hasAfter)
    {
        Bits(pass.LossSum).ShouldBe(Bits(expected.LossSum));
        foreach (var layer in pass.Layers)
        {
            var (name, index) = (layer.Node.Name, layer.Node.Index);
            Bits(layer.Output).ShouldBe(Bits(expected.Outputs[index].SelectMany(values => values)), $"output of {name}");
            Bits(layer.Delta).ShouldBe(Bits(expected.Deltas[index].SelectMany(values => values)), $"delta of {name}");
            Bits(layer.Before).ShouldBe(Bits(expected.Before[index]), $"parameters of {name}");
            Bits(layer.Gradient).ShouldBe(Bits(expected.Gradients[index]), $"gradient of {name}");
            if (hasAfter)
            {
                Bits(layer.After).ShouldBe(Bits(expected.After[index]), $"updated parameters of {name}");
            }
        }
    }

    private static void ShouldBeConsistent(Explanation explanation)
    {
        var pass = explanation.Pass;
        explanation.LossInDouble.ShouldBe(MeanLoss(explanation), 1e-4 * Math.Max(1, Math.Abs(explanation.LossInDouble)));
        foreach (var layer in pass.Layers)
        {
            TermsShouldSumToDelta(explanation, layer);

            // Of one example: ∂L/∂b is the delta before the function, so training says what that must be.
            var (rule, inner) = (explanation.Rules[layer.Node.Index], explanation.Inner[layer.Node.Index]);
            if (rule is { HasBias: true, Rows: 1 })
            {
                inner.ShouldBe(layer.Gradient[(rule.In * rule.Out)..], layer.Node.Name);
            }

            if (explanation.Quotients.TryGetValue(layer.Node.Index, out var quotients))
            {
                var scale = Math.Max(quotients.LargestGradient, 1e-3);
                quotients.LargestDifference.ShouldBeLessThan(2e-3 * scale, layer.Node.Name);
                (quotients.Compared.Length + quotients.AtKinks).ShouldBeGreaterThan(0);
            }

            if (explanation.WithoutTable is { } run && layer.Gradient.Length > 0)
            {
                run.LargestDifference(layer.Node.Index).ShouldBeLessThan(
                    1e-3 * Math.Max(layer.Gradient.Max(Math.Abs), 1e-3f), layer.Node.Name);
            }
        }

        if (explanation.WithoutTable is { } counted)
        {
            explanation.Count.WithoutTable.ShouldBe(counted.Multiplications);
            explanation.Count.Paths.ShouldBe(counted.Paths);
        }
    }

    // A sum of float32 products in another order: within a part of the sum of their sizes.
    private static void TermsShouldSumToDelta(Explanation explanation, RecordedLayer layer)
    {
        for (var element = 0; element < Math.Min(layer.Delta.Length, 20); element++)
        {
            var terms = explanation.TermsOf(layer.Node.Index, element);
            ((double)layer.Delta[element]).ShouldBe(
                terms.Sum(term => term.Product), 1e-30 + (1e-4 * terms.Sum(term => Math.Abs(term.Product))), $"{layer.Node.Name}[{element}]");
        }
    }

    private static double MeanLoss(Explanation explanation) =>
        explanation.Pass.LossSum / Loss.Of(explanation.Job.Loss, explanation.Pass.Graph.Output).MeanOver(1);

    private static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);

    private static IEnumerable<int> Bits(IEnumerable<float> values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}
