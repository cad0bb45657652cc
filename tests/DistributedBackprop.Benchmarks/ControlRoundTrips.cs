using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Benchmarks;

/// <summary>How long a small control message takes to a node and back while tensors flow between the nodes.</summary>
internal static class ControlRoundTrips
{
    private static readonly TimeSpan _every = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>Measures and prints.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="cluster">The nodes.</param>
    /// <param name="job">What keeps tensors flowing.</param>
    public static async Task MeasureAsync(TextWriter output, PinnedCluster cluster, TrainingJob job)
    {
        var quiet = await SampleAsync(cluster, Task.Delay(TimeSpan.FromSeconds(3)));
        var busy = await SampleAsync(cluster, cluster.RateAsync(job));
        output.WriteLine("round trip of a small control message to a node, µs");
        output.WriteLine($"  nothing else                        {Describe(quiet)}");
        output.WriteLine($"  while a layer of 50 MB is averaged {Describe(busy)}");
    }

    private static async Task<List<double>> SampleAsync(PinnedCluster cluster, Task until)
    {
        var trips = new List<double>();
        while (!until.IsCompleted)
        {
            foreach (var node in cluster.Training.Nodes)
            {
                var start = Stopwatch.GetTimestamp();
                await node.Agent.Ask<NodeDescribed>(new DescribeNode(), _patience);
                trips.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            }

            await Task.Delay(_every);
        }

        await until;
        trips.Sort();
        return trips;
    }

    private static string Describe(List<double> trips) => string.Create(
        CultureInfo.InvariantCulture,
        $"p50 {trips[trips.Count / 2]:N0}  p99 {trips[trips.Count * 99 / 100]:N0}  most {trips[^1]:N0}  ({trips.Count} trips)");
}
