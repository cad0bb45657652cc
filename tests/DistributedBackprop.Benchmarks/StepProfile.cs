using System.Globalization;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>Where the time of a step goes, by phases of the plain loop.</summary>
internal static class StepProfile
{
    private const int Epochs = 8;

    /// <summary>Measures with one thread and with two, and prints.</summary>
    public static void Run(TextWriter output)
    {
        output.WriteLine(Machine.Describe());
        Measure(output, SequentialTiles.Instance);
        using var two = new ThreadedTiles(2);
        Measure(output, two);
    }

    private static void Measure(TextWriter output, ITiles tiles)
    {
        var steps = MlpWorkload.StepsOf(Epochs);
        using var loop = new PlainLoop(MlpWorkload.Job(steps * 3), new TensorPool(), tiles);
        loop.Train(steps);
        var rate = loop.Train(steps);
        loop.IsTimed = true;
        loop.Train(steps);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{tiles.Width} thread(s): {rate:N0} examples/s; medians in µs:"));
        var total = loop.Times.Sum(times => times.Median);
        for (var i = 0; i < loop.Phases.Length; i++)
        {
            var median = loop.Times[i].Median;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  {loop.Phases[i],-18}{median,8:F1}{100 * median / total,7:F1} %"));
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {"all",-18}{total,8:F1}"));
    }
}
