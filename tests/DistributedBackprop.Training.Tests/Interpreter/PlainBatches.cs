using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>How examples become steps, slices and micro-batches.</summary>
public static class PlainBatches
{
    /// <summary>Cuts a run of examples into parts; the first ones get one more where it does not divide.</summary>
    public static PlainSlice[] Cut(PlainSlice whole, int parts)
    {
        var slices = new PlainSlice[parts];
        var start = whole.Start;
        for (var part = 0; part < parts; part++)
        {
            var count = (whole.Count / parts) + (part < whole.Count % parts ? 1 : 0);
            slices[part] = new PlainSlice(start, count);
            start += count;
        }

        return slices;
    }

    /// <summary>Steps of an epoch; the last one may be short.</summary>
    public static int StepsOfEpoch(int examples, int batchSize) => (int)(((long)examples + batchSize - 1) / batchSize);

    /// <summary>Steps of the whole job, were it not stopped early.</summary>
    public static long TotalSteps(TrainingPlan plan, int examples) =>
        plan.Steps ?? ((long)plan.Epochs!.Value * StepsOfEpoch(examples, plan.BatchSize));

    /// <summary>The order of the training set in an epoch (from 0): shuffled by Fisher and Yates, or the file's.</summary>
    public static int[] Order(TrainingJob job, int examples, int epoch)
    {
        var order = Enumerable.Range(0, examples).ToArray();
        if (job.Data.Shuffle)
        {
            var random = new PlainRandom(job.Seed, "shuffle", "");
            for (var i = examples - 1; i >= 1; i--)
            {
                var j = (int)(((ulong)random.Word(i, 0, epoch) * (ulong)(i + 1)) >> 32);
                (order[i], order[j]) = (order[j], order[i]);
            }
        }

        return order;
    }
}

/// <summary>A run of examples.</summary>
/// <param name="Start">Position of the first.</param>
/// <param name="Count">How many, ≥ 0.</param>
public readonly record struct PlainSlice(int Start, int Count);

/// <summary>The examples of one step.</summary>
/// <param name="Step">Counts from 1.</param>
/// <param name="Features">One array per example.</param>
/// <param name="Labels">One label per example.</param>
public sealed record PlainBatch(long Step, float[][] Features, int[] Labels);
