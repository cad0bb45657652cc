using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Server.Tests.Storage;

/// <summary>States with numbers that follow from a seed.</summary>
internal static class States
{
    /// <summary>The layout of dense layers with parameter averaging: of every kind of vector there is.</summary>
    public static StateLayout Layout(int units, int replicas = 2) =>
        StateLayout.Of(GraphOf(units), replicas, averagesParameters: true, optimizerSlots: 2);

    /// <summary>Two vectors to each layer: parameters and momentum.</summary>
    public static StateLayout PlainLayout(params int[] units) =>
        StateLayout.Of(GraphOf(units), 1, averagesParameters: false, optimizerSlots: 1);

    public static TrainingState Fill(StateLayout layout, TensorPool pool, ulong seed)
    {
        var state = new TrainingState(layout, pool);
        foreach (var vector in layout.Vectors)
        {
            var tensor = Tensor.Rent(pool, new Shape(layout.LengthOf(vector)), StateLayout.TypeOf(vector));
            var numbers = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(tensor.Bytes.Span);
            tensor.Bytes.Span.Clear();
            foreach (ref var number in numbers)
            {
                // SplitMix64 (Steele, Lea, Flood 2014).
                seed += 0x9E3779B97F4A7C15;
                var z = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9;
                z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
                number = z ^ (z >> 31);
            }

            state.Add(vector, 0, tensor);
        }

        return state;
    }

    public static void ShouldBeSame(TrainingState state, TrainingState expected)
    {
        state.Layout.Hash.ShouldBe(expected.Layout.Hash);
        foreach (var vector in expected.Layout.Vectors)
        {
            state[vector].Bytes.Span.SequenceEqual(expected[vector].Bytes.Span).ShouldBeTrue(vector.ToString());
        }
    }

    private static Graph GraphOf(params int[] units)
    {
        var layers = string.Join("\n", units.Select(count => $"    - dense: {{ units: {count} }}"));
        var job = JobFile.Parse("job", $$"""
            name: stored
            data: { format: xor, train: { examples: 8 } }
            model:
              input: [2]
              layers:
            {{layers}}
                - dense: { units: 1 }
            loss: binaryCrossEntropy
            optimizer: { sgd: { learningRate: 0.1 } }
            training: { batchSize: 4, epochs: 1 }
            """);
        job.IsValid.ShouldBeTrue(string.Join("\n", job.Errors));
        return Graph.Of(job.Job!.Model, job.Job.Seed);
    }
}
