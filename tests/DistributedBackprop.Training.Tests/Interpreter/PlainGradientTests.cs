using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

public sealed class PlainGradientTests
{
    [Fact]
    public void The_first_steps_gradient_is_that_of_the_mathematics()
    {
        var errors = new Errors();
        new RandomJobs().Sample(
            x =>
            {
                var (graph, parameters, batch) = FirstStep(x);
                var exact = Reference(x.Job, graph, parameters, batch);

                // So near a kink float32 and double may fall on different sides of it.
                if (exact.NearestKink < 1e-4)
                {
                    return;
                }

                var (loss, gradient) = Gradient(x.Job, graph, parameters, batch);
                var mean = loss / PlainLosses.Divisor(x.Job.Loss, batch.Labels.Length, graph.Output.Length);
                mean.ShouldBe(exact.Loss, 1e-4 * (1 + exact.Loss));
                for (var p = 0; p < gradient.Length; p++)
                {
                    var expected = exact.Gradient[graph.Parameters[p].Name];
                    errors.Add(gradient[p], expected, exact, graph.Parameters[p].Name);
                }
            },
            iter: 400,
            threads: 1);
        errors.ShouldBeManyAndSmall();
    }

    [Fact]
    public void Every_layers_delta_is_that_of_the_mathematics()
    {
        var errors = new Errors();
        new RandomJobs().Sample(
            x =>
            {
                var (graph, parameters, batch) = FirstStep(x);
                var exact = Reference(x.Job, graph, parameters, batch);
                if (exact.NearestKink < 1e-4)
                {
                    return;
                }

                var examples = batch.Labels.Length;
                var share = PlainReplica.Work(x.Job, graph, parameters, batch, new PlainSlice(0, examples), examples);
                for (var l = 0; l < graph.Layers.Length; l++)
                {
                    var deltas = share.Deltas.SelectMany(microBatch => microBatch[l]).ToArray();
                    var expected = exact.Deltas[graph.Layers[l].Name];
                    deltas.Length.ShouldBe(expected.Length);
                    errors.Add(
                        [.. deltas.SelectMany(d => d)], [.. expected.SelectMany(d => d)], exact, graph.Layers[l].Name);
                }
            },
            iter: 200,
            threads: 1);
        errors.ShouldBeManyAndSmall();
    }

    [Fact]
    public void Replicas_join_to_the_gradient_of_one()
    {
        var errors = new Errors();
        new RandomJobs().Sample(
            x =>
            {
                var (graph, parameters, batch) = FirstStep(x);
                var (loss, gradient) = Gradient(x.Job, graph, parameters, batch);
                var alone = x.Job with { Parallelism = x.Job.Parallelism with { Replicas = 1 } };
                var exact = Reference(x.Job, graph, parameters, batch);
                var (lossAlone, gradientAlone) = Gradient(alone, graph, parameters, batch);
                loss.ShouldBe(lossAlone, 1e-12 * (1 + lossAlone));
                for (var p = 0; p < gradient.Length; p++)
                {
                    errors.Add(gradient[p], Widened(gradientAlone[p]), exact, graph.Parameters[p].Name);
                }
            },
            iter: 200,
            threads: 1);
        errors.ShouldBeManyAndSmall();
    }

    [Fact]
    public void The_number_of_micro_batches_stages_and_the_schedule_do_not_change_a_bit()
    {
        var differentJobs = 0;
        new RandomJobs().Sample(
            x =>
            {
                var whole = x.Job with
                {
                    Training = x.Job.Training with { MicroBatches = 1 },
                    Parallelism = x.Job.Parallelism with { Stages = 1, Schedule = ScheduleKind.GPipe },
                };
                var (a, b) = (PlainInterpreter.Run(x.Job, x.Data), PlainInterpreter.Run(whole, x.Data));
                a.WeightsSha256.ShouldBe(b.WeightsSha256);
                a.StepLosses.Select(BitConverter.DoubleToInt64Bits).ShouldBe(b.StepLosses.Select(BitConverter.DoubleToInt64Bits));
                a.Epochs.ShouldBe(b.Epochs);
                differentJobs += x.Job.Training.MicroBatches > 1 ? 1 : 0;
            },
            iter: 100,
            threads: 1);
        differentJobs.ShouldBeGreaterThan(20);
    }

    private static (PlainGraph Graph, float[][] Parameters, PlainBatch Batch) FirstStep(RandomJob x)
    {
        var graph = new PlainGraph(x.Job);
        var chosen = PlainBatches.Order(x.Job, x.Data.TrainLabels.Length, 0).Take(x.Job.Training.BatchSize).ToArray();
        var batch = new PlainBatch(
            1, [.. chosen.Select(i => x.Data.TrainFeatures[i])], [.. chosen.Select(i => x.Data.TrainLabels[i])]);
        return (graph, graph.Initial(x.Job.Seed, null), batch);
    }

    private static (double Loss, float[][] Gradient) Gradient(
        TrainingJob job, PlainGraph graph, float[][] parameters, PlainBatch batch) =>
        new PlainGradientAveraging(job, graph, parameters, totalSteps: 1).Gradient(batch);

    private static DoubleDerivatives Reference(TrainingJob job, PlainGraph graph, float[][] parameters, PlainBatch batch)
    {
        bool IsDropped(string layer, int example, int element) =>
            graph.Layers.OfType<PlainDropout>().Single(l => l.Name == layer).Drops(element, new PlainPlace(true, 1, example));

        return new DoubleReference(job.Model, job.Loss, IsDropped).Evaluate(
            graph.Parameters.Select((p, i) => (p.Name, parameters[i])).ToDictionary(p => p.Name, p => Widened(p.Item2)),
            [.. batch.Features.Select(Widened)],
            batch.Labels);
    }

    private static double[] Widened(float[] values) => [.. values.Select(v => (double)v)];

    /// <summary>Errors of float32 against double: each below a bound that hides no wrong formula, their mean far below.</summary>
    private sealed class Errors
    {
        private int _count;
        private double _sum;

        public void Add(float[] values, double[] expected, DoubleDerivatives exact, string what)
        {
            values.Length.ShouldBe(expected.Length, what);
            values.ShouldAllBe(v => float.IsFinite(v), what);

            // Over what could be rounded on the way: a saturated activation makes a gradient small by subtracting from 1,
            // which leaves errors in proportion to the delta that came in.
            var all = exact.Deltas.Values.SelectMany(d => d).Concat(exact.Gradient.Values).SelectMany(d => d);
            var scale = 1e-3 + all.Max(Math.Abs);
            var error = values.Zip(expected, (v, e) => Math.Abs(v - e) / scale).Max();
            error.ShouldBeLessThan(1e-3, what);
            _sum += error;
            _count++;
        }

        public void ShouldBeManyAndSmall()
        {
            _count.ShouldBeGreaterThan(300);
            (_sum / _count).ShouldBeInRange(1e-9, 1e-6);
        }
    }
}
