using System.Globalization;
using System.Text;
using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>A job with data that fit it.</summary>
/// <param name="Job">
/// The job. Its data source says how many examples there are and whether to shuffle; the examples are in
/// <paramref name="Data"/>.
/// </param>
/// <param name="Data">Features (already scaled) and labels.</param>
public sealed record RandomJob(TrainingJob Job, PlainData Data)
{
    /// <summary>The job in a few lines, for a failing test's output.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"seed {Job.Seed}, input {Job.Model.Input}, {Job.Loss}, {Job.Optimizer}");
        text.AppendLine(CultureInfo.InvariantCulture, $"{Job.Training}, {Job.Parallelism}, {Job.Data}");
        foreach (var layer in Job.Model.Layers)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"  {layer.Name} ← {string.Join(", ", layer.Inputs)}: {layer.Kind}, × {layer.LearningRateFactor}");
        }

        return text.ToString();
    }
}

/// <summary>
/// Generates jobs of every form in sizes that divide nothing, with matching small random data:
/// <c>new RandomJobs().Sample(x => …)</c>. Values are scaled so that training mostly stays finite.
/// </summary>
/// <param name="averagesParameters">Whether the jobs average parameters (local SGD) instead of gradients.</param>
public sealed class RandomJobs(bool averagesParameters = false) : Gen<RandomJob>
{
    /// <inheritdoc/>
    public override RandomJob Generate(PCG pcg, Size? min, out Size size)
    {
        var draw = new RandomDraws(pcg);
        var loss = draw.One(Enum.GetValues<LossKind>());
        var (model, output) = RandomModel.Draw(draw, loss);
        var examples = draw.Between(1, 50);
        var tests = draw.Percent(30) ? 0 : draw.Between(1, 30);
        var training = Plan(draw, examples, tests);
        var job = new TrainingJob
        {
            Name = "random",
            Seed = draw.One(0, draw.Between(1, 1000), long.MaxValue - draw.Between(0, 1000)),
            Data = new XorData(examples, tests) { Shuffle = draw.Percent(70) },
            Model = model,
            Loss = loss,
            Optimizer = Optimizer(draw),
            Training = training,
            Parallelism = new Parallelism
            {
                Replicas = draw.Between(1, 5),
                Stages = draw.Between(1, model.Layers.Length),
                Schedule = draw.One(Enum.GetValues<ScheduleKind>()),
                Averaging = averagesParameters ? Averaging(draw) : new GradientAveraging(),
            },
        };
        var data = new PlainData(
            Features(draw, examples, model.Input.Length),
            Labels(draw, examples, loss, output.Length),
            tests > 0 ? Features(draw, tests, model.Input.Length) : null,
            tests > 0 ? Labels(draw, tests, loss, output.Length) : null);

        // What a reader of a failing job would like to have less of: layers first, then work.
        size = new Size((ulong)(model.Layers.Length * 100_000)
            + (ulong)(PlainBatches.TotalSteps(training, examples) * training.BatchSize * job.Parallelism.Replicas));
        return new RandomJob(job, data);
    }

    private static TrainingPlan Plan(RandomDraws draw, int examples, int tests)
    {
        var plan = new TrainingPlan
        {
            BatchSize = draw.Between(1, 23),
            MicroBatches = draw.Between(1, 4),
            Steps = draw.Between(1, 8),
        };
        var epochs = Math.Min(draw.Between(1, 4), 8 / PlainBatches.StepsOfEpoch(examples, plan.BatchSize));
        var stop = new StopRule
        {
            TestAccuracy = tests > 0 && draw.Percent(15) ? draw.Real(0, 1) : null,
            TrainLoss = draw.Percent(15) ? draw.Real(0, 1) : null,
            Patience = tests > 0 && draw.Percent(25) ? draw.Between(1, 2) : null,
        };
        return (epochs > 0 && draw.Percent(60) ? plan with { Epochs = epochs, Steps = null } : plan) with { StopWhen = stop };
    }

    private static OptimizerChoice Optimizer(RandomDraws draw)
    {
        var decay = draw.Percent(40) ? draw.Real(0.001, 0.1) : 0;
        var beta1 = draw.One(0.9, 0.5, 0);
        var beta2 = draw.One(0.999, 0.9, 0.5);
        var momentum = draw.Percent(60) ? draw.One(0.9, 0.5) : 0;
        return draw.Between(0, 3) switch
        {
            0 => new AdamChoice { LearningRate = Rate(draw, 0.03), WeightDecay = decay, Beta1 = beta1, Beta2 = beta2 },
            1 => new AdamWChoice { LearningRate = Rate(draw, 0.03), WeightDecay = decay, Beta1 = beta1, Epsilon = 1e-6 },
            _ => new SgdChoice
            {
                LearningRate = Rate(draw, 0.2),
                WeightDecay = decay,
                Momentum = momentum,
                Nesterov = momentum > 0 && draw.Percent(50),
            },
        };
    }

    private static LearningRate Rate(RandomDraws draw, double scale)
    {
        var value = draw.Real(0.1 * scale, scale);
        return draw.Between(0, 3) switch
        {
            0 => new StepRate(value, draw.Between(1, 3), draw.Real(0.1, 1.1)),
            1 => new CosineRate(value, draw.One(0, value / 10), draw.Between(0, 4)),
            2 => new ConstantRate(value, draw.Between(1, 5)),
            _ => new ConstantRate(value),
        };
    }

    private static ParameterAveraging Averaging(RandomDraws draw)
    {
        var momentum = draw.Percent(50) ? draw.One(0.5, 0.9) : 0;
        var outer = draw.Percent(40)
            ? new OuterOptimizer()
            : new OuterOptimizer(draw.Real(0.3, 1), momentum, momentum > 0 && draw.Percent(50));
        return new ParameterAveraging(draw.Between(1, 4), outer, draw.One(Enum.GetValues<InnerState>()));
    }

    private static float[][] Features(RandomDraws draw, int examples, int elements) =>
        draw.Many(examples, () => draw.Many(elements, () => draw.Percent(10) ? 0f : (float)draw.Real(-1.5, 1.5)));

    private static int[] Labels(RandomDraws draw, int examples, LossKind loss, int elements) =>
        draw.Many(examples, () => (elements, loss) switch
        {
            (1, LossKind.MeanSquaredError) => draw.Between(0, 2),
            (1, _) => draw.Between(0, 1),
            _ => draw.Between(0, elements - 1),
        });
}
