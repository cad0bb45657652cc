using System.Numerics;
using CsCheck;
using DistributedBackprop.Training.Explain;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Training.Tests.Explain;

/// <summary>The counts with and without the table, against other ways to count.</summary>
public sealed class PathCountTests
{
    private const long Limit = 2_000_000;

    [Fact]
    public void Random_graphs_have_as_many_multiplications_and_paths_as_are_found_by_walking_them()
    {
        var compared = 0;
        new RandomJobs().Sample(
            random =>
            {
                if (new ScalarGraph(random.Job.Model).Count(Limit) is not { } walked)
                {
                    return;
                }

                compared++;
                var pass = PassByLoop.Record(random);
                var rules = LayerRule.Of(pass);
                var count = PathCount.Of(pass.Graph, rules);
                count.WithoutTable.ShouldBe(walked.Multiplications);
                count.Paths.ShouldBe(walked.Paths);
                var run = PathRecursion.Run(pass, rules);
                run.Multiplications.ShouldBe(walked.Multiplications);
                run.Paths.ShouldBe(walked.Paths);
            },
            iter: 200,
            threads: 1);
        compared.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void A_chain_follows_its_formula()
    {
        // Without the table a unit of layer l costs c(l) = 1 + n(l+1)·(1 + c(l+1)) with an activation, the last one 0.
        int[] units = [2, 64, 64, 3];
        BigInteger deeper = 3 * (1 + BigInteger.Zero);
        var second = 1 + deeper;
        var first = 1 + (64 * (1 + second));
        var without = (64 * ((2 * (1 + first)) + first)) + (64 * ((64 * (1 + second)) + second)) + (3 * 64);
        var count = CountOf(units);
        count.WithoutTable.ShouldBe(without);
        count.Paths.ShouldBe((64 * 3 * 64 * 3) + (64 * 65 * 3) + (3 * 65));

        // With it: gradients 2·64 + 64·64 + 64·3, deltas 64·64 + 64·3, derivatives 64 + 64.
        count.WithTable.ShouldBe(128 + 4096 + 192 + 4096 + 192 + 128);
    }

    [Fact]
    public void Counts_beyond_every_machine_are_exact()
    {
        // Twenty layers of 64 units: each of the first layer's weights has 64¹⁹ paths.
        var count = CountOf([2, .. Enumerable.Repeat(64, 20), 1]);
        var paths = 64 * 3 * BigInteger.Pow(64, 19);
        for (var layer = 2; layer <= 20; layer++)
        {
            paths += 64 * 65 * BigInteger.Pow(64, 20 - layer);
        }

        count.Paths.ShouldBe(paths + 65);
        count.WithTable.ShouldBeLessThan(200_000);
    }

    private static PathCount CountOf(int[] units)
    {
        var layers = string.Join('\n', units.Skip(1).Select((count, i) =>
            $"    - dense: {{ units: {count}{(i < units.Length - 2 ? ", activation: tanh" : "")} }}"));
        var job = JobFile.Parse("job.yaml", $$"""
            name: chain
            data: { format: xor, train: { examples: 4 } }
            model:
              input: [{{units[0]}}]
              layers:
            {{layers}}
            loss: meanSquaredError
            optimizer: { sgd: { learningRate: 0.1 } }
            training: { batchSize: 1, epochs: 1 }
            """).Job!;
        var pass = PassByLoop.Record(job, [[.. Enumerable.Range(0, units[0]).Select(i => 0.1f * i)]], [0]);
        return PathCount.Of(pass.Graph, LayerRule.Of(pass));
    }
}
