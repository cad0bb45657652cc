using CsCheck;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>
/// A job whose layers are numbers drawn from a seed: what its replicas report depends on the step alone, as it does with real
/// layers, and comes in an order of its own in every run.
/// </summary>
/// <param name="Job">The job.</param>
/// <param name="Examples">Of the training set.</param>
/// <param name="TestExamples">Of the test set; null without one.</param>
/// <param name="Seed">Of what is reported.</param>
internal sealed record ProgressCourse(TrainingJob Job, int Examples, int? TestExamples, ulong Seed)
{
    /// <summary>Random jobs, short, with every way to end.</summary>
    public static Gen<ProgressCourse> Any { get; } =
        from numbers in Gen.Select(Gen.Int[1, 4], Gen.Int[1, 30], Gen.Int[1, 9], Gen.Int[0, 5], Gen.ULong)
        from length in Gen.Select(Gen.Bool, Gen.Int[1, 5], Gen.Int[1, 25])
        from stops in Gen.Select(Gen.Int[1, 3].Nullable(), Gen.Double[0.2, 0.9].Nullable(), Gen.Double[0.3, 0.6].Nullable())
        from every in Gen.Int[1, 7].Nullable()
        select Of(numbers, length, stops, every);

    /// <summary>Nine steps of two replicas.</summary>
    public static ProgressCourse Plain { get; } = Of((2, 10, 3, 2, 7), (false, 1, 9), (null, null, null), null);

    public JobProgress New(long? checkpointEvery = null) => new(Job, Plan, Loss, TestExamples, checkpointEvery);

    public JobProgress From(ProgressState state) => new(Job, Plan, Loss, TestExamples, state);

    /// <summary>Runs a job to its end.</summary>
    /// <param name="progress">Where it is.</param>
    /// <param name="order">Seed of the order in which reports come.</param>
    /// <param name="log">What is told.</param>
    /// <param name="between">Called between any two reports.</param>
    public void Drive(JobProgress progress, ulong order, List<string> log, Action? between = null)
    {
        while (!progress.IsOver || progress.IsAtBoundary)
        {
            between?.Invoke();
            if (progress.IsAtBoundary)
            {
                Decide(progress, log, between);
            }
            else
            {
                Train(progress, ref order, log, between);
            }
        }

        log.Add($"end {Bits(progress.State)}");
    }

    /// <summary>A state with the bits of its numbers.</summary>
    public static string Bits(ProgressState state) => string.Join(' ', typeof(ProgressState).GetProperties()
        .Where(property => property.GetMethod!.IsStatic is false && property.Name != "EqualityContract")
        .Select(property => property.GetValue(state) is double value ? $"{BitConverter.DoubleToInt64Bits(value):x}" : $"{property.GetValue(state)}"));

    public static ulong Mixed(ulong z)
    {
        // SplitMix64 (Steele, Lea, Flood 2014).
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private StepPlan Plan => new(Job.Training, Examples);

    private Loss Loss => Loss.Of(Job.Loss, new Shape(1));

    // Each replica reports in order; how far one is ahead of another is drawn anew each time.
    private void Train(JobProgress progress, ref ulong order, List<string> log, Action? between)
    {
        var limit = progress.GrantLimit;
        if (limit == progress.Step)
        {
            throw new InvalidOperationException($"nothing may be granted after step {limit}, and nothing is to be decided");
        }

        var next = Enumerable.Repeat(progress.Step + 1, Job.Parallelism.Replicas).ToArray();
        while (next.Any(step => step <= limit))
        {
            order = Mixed(order);
            var replica = (int)(order % (ulong)next.Length);
            if (next[replica] > limit)
            {
                continue;
            }

            var (loss, correct) = Report(next[replica], replica, 0);
            foreach (var done in progress.OnStepJudged(next[replica]++, replica, loss, correct))
            {
                log.Add($"step {done.Step} {done.Epoch} {done.Examples} {BitConverter.DoubleToInt64Bits(done.Loss):x} {done.Accuracy:R}");
            }

            between?.Invoke();
        }
    }

    private void Decide(JobProgress progress, List<string> log, Action? between)
    {
        if (progress.NeedsRound)
        {
            progress.OnRoundClosed();
            log.Add("round");
            between?.Invoke();
        }

        if (progress.NeedsEvaluation)
        {
            for (var replica = Job.Parallelism.Replicas - 1; replica >= 0; replica--)
            {
                var (loss, correct) = Report(progress.Step, replica, progress.IsOver ? 2 : 1);
                progress.OnEvaluated(replica, loss, correct);
            }
        }

        if (progress.DecideBoundary() is { } epoch)
        {
            log.Add($"epoch {epoch.Epoch} {epoch.Step} {Bit(epoch.TrainLoss)} {Bit(epoch.TestLoss)} {Bit(epoch.TestAccuracy)}");
        }
    }

    private (double LossSum, long Correct) Report(long step, int replica, int kind)
    {
        var draw = Mixed(Seed ^ Mixed((ulong)step) ^ Mixed((ulong)((replica * 3) + kind + 1000)));
        return ((draw >> 11) * 1.1102230246251565E-16 * 2, (long)(draw % 3));
    }

    private static string Bit(double? value) => value is { } there ? $"{BitConverter.DoubleToInt64Bits(there):x}" : "-";

    private static ProgressCourse Of(
        (int Replicas, int Examples, int Batch, int TestExamples, ulong Seed) numbers,
        (bool IsEpochs, int Epochs, int Steps) length,
        (int? Patience, double? Accuracy, double? TrainLoss) stops,
        int? every)
    {
        var (patience, accuracy) = numbers.TestExamples > 0 ? (stops.Patience, stops.Accuracy) : (null, null);
        string?[] rules =
        [
            patience is null ? null : $"patience: {patience}",
            accuracy is null ? null : FormattableString.Invariant($"testAccuracy: {accuracy}"),
            stops.TrainLoss is null ? null : FormattableString.Invariant($"trainLoss: {stops.TrainLoss}"),
        ];
        var stop = rules.All(rule => rule is null) ? "" : $", stopWhen: {{ {string.Join(", ", rules.Where(rule => rule is not null))} }}";
        var test = numbers.TestExamples > 0 ? $", test: {{ examples: {numbers.TestExamples} }}" : "";
        var averaging = every is null ? "gradients" : $"{{ parameters: {{ every: {every} }} }}";
        var job = JobFile.Parse("job", $$"""
            name: course
            data: { format: xor, train: { examples: {{numbers.Examples}} }{{test}} }
            model: { input: [2], layers: [ { dense: { units: 1 } } ] }
            loss: binaryCrossEntropy
            optimizer: { sgd: { learningRate: 0.1 } }
            training: { batchSize: {{numbers.Batch}}, {{(length.IsEpochs ? $"epochs: {length.Epochs}" : $"steps: {length.Steps}")}}{{stop}} }
            parallelism: { replicas: {{numbers.Replicas}}, averaging: {{averaging}} }
            """);
        job.Errors.ShouldBeEmpty();
        return new ProgressCourse(job.Job!, numbers.Examples, numbers.TestExamples > 0 ? numbers.TestExamples : null, numbers.Seed);
    }
}
