using System.Globalization;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// Two processes of one core each: training beside PyTorch's DistributedDataParallel, scaling beside one process, steps
/// that do nothing but average beside gloo's all-reduce, and how long a small message takes meanwhile.
/// </summary>
internal static class ClusterBenchmark
{
    private const int Rounds = 5;

    /// <summary>Measures and prints. Takes about five minutes.</summary>
    public static async Task RunAsync(TextWriter output)
    {
        output.WriteLine(Machine.Describe());
        await using var cluster = await PinnedCluster.StartAsync(2);

        // The runtime compiles a method again once it knows how it is used: measured is what comes after.
        await cluster.RateAsync(MlpWorkload.Job(MlpWorkload.StepsOf(60), replicas: 2));
        await MeasureTrainingAsync(output, cluster);
        await ScalingBenchmark.MeasureAsync(output, cluster);
        await MeasureAveragingAsync(output, cluster);
        await ControlRoundTrips.MeasureAsync(output, cluster, AveragingJob(50, steps: 500));
    }

    private static async Task MeasureTrainingAsync(TextWriter output, PinnedCluster cluster)
    {
        using var ddp = await DdpPeer.StartAsync(isPinned: true);
        var ours = new Samples();
        var theirs = DdpSettings.All.Select(_ => new Samples()).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            ours.Add(await cluster.RateAsync(MlpWorkload.Job(MlpWorkload.StepsOf(8), replicas: 2)));
            for (var setting = 0; ddp is not null && setting < theirs.Length; setting++)
            {
                theirs[setting].Add(await ddp.TrainAsync(2, DdpSettings.All[setting]));
            }
        }

        output.WriteLine("MLP 784-512-256-10, 64 for each of two processes, a core each; examples/s: median (least … most)");
        output.WriteLine($"  two nodes, gradients averaged in every step  {ours}");
        if (ddp is null)
        {
            output.WriteLine("  PyTorch is not installed: apt-get install python3-torch libopenblas0-pthread");
            return;
        }

        for (var setting = 0; setting < theirs.Length; setting++)
        {
            output.WriteLine($"  {ddp.Description}, DDP over gloo, {DdpSettings.All[setting]}  {theirs[setting]}");
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"  ours over the best of them: {ours.Median / theirs.Max(samples => samples.Median):F2}"));
    }

    private static async Task MeasureAveragingAsync(TextWriter output, PinnedCluster cluster)
    {
        using var pinned = await GlooPeer.StartAsync(isPinned: true);
        using var free = await GlooPeer.StartAsync(isPinned: false);
        output.WriteLine(
            "averaging one dense layer between two processes, its update included, beside gloo's all-reduce of as many"
            + " bytes; µs: median (least … most)");
        foreach (var (megabytes, steps) in new[] { (2, 1000), (40, 60) })
        {
            var (step, averaging, theirs, theirsFree) = (new Samples(), new Samples(), new Samples(), new Samples());
            for (var round = 0; round < Rounds; round++)
            {
                var (completed, generations) =
                    await PinnedCluster.TrainAsync(cluster.Training, AveragingJob(megabytes, steps), MlpWorkload.Data);
                step.Add(1e6 * 2 / completed.SamplesPerSecond);
                averaging.Add(1e6 * generations.SelectMany(generation => generation.Nodes)
                    .Where(node => node.AveragingRounds > 0)
                    .Max(node => node.AveragingSeconds / node.AveragingRounds));
                await AddAsync(pinned, theirs, megabytes, steps);
                await AddAsync(free, theirsFree, megabytes, steps);
            }

            output.WriteLine($"  {megabytes,2} MB, averaging of two nodes    {averaging}");
            output.WriteLine($"  {megabytes,2} MB, the whole step            {step}");
            if (pinned is not null)
            {
                output.WriteLine($"  {megabytes,2} MB, gloo, a core each         {theirs}");
                output.WriteLine($"  {megabytes,2} MB, gloo, free                {theirsFree}");
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"  gloo's better one over our averaging: {Math.Min(theirs.Median, theirsFree.Median) / averaging.Median:F2}"));
            }
        }
    }

    private static async Task AddAsync(GlooPeer? peer, Samples samples, int megabytes, int times)
    {
        if (peer is not null)
        {
            foreach (var seconds in await peer.AllReduceAsync(megabytes * 1_000_000, times))
            {
                samples.Add(1e6 * seconds);
            }
        }
    }

    // A layer of so many parameters between the 784 inputs and the loss.
    private static TrainingJob AveragingJob(int megabytes, int steps)
    {
        var units = megabytes * 1_000_000 / sizeof(float) / 785;
        var job = MlpWorkload.Job(steps, replicas: 2);
        return WithBatch(job, 2) with
        {
            Model = new Model(new Shape(784),
            [
                new ModelLayer("dense1", [Model.InputName], new DenseKind(units, null, true, new Initializer(InitializerKind.Default))),
            ]),
            Optimizer = new SgdChoice { LearningRate = new ConstantRate(0.01) },
        };
    }

    private static TrainingJob WithBatch(TrainingJob job, int batch) =>
        job with { Training = job.Training with { BatchSize = batch } };
}
