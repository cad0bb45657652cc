using Akka.Actor;
using CsCheck;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Tests;

/// <summary>Random jobs that fail or are cancelled at random moments, one after the other on one node.</summary>
public sealed class FailureTests
{
    private static Gen<Scenario> Any { get; } =
        from numbers in Gen.Select(Gen.Int[1, 40], Gen.Int[0, 20], Gen.Int[1, 50], Gen.Int[1, 9])
        from cut in Gen.Select(Gen.Int[1, 5], Gen.Int[1, 4], Gen.Bool, Gen.Bool)
        from moments in Gen.Select(Gen.Int[0, 3000], Gen.Int[-40, 40], Gen.ULong)
        select new Scenario(
            $$"""
            name: random
            seed: 3
            data: { format: xor, train: { examples: {{numbers.Item1}} }, test: { examples: {{numbers.Item2}} } }
            model:
              input: [2]
              layers:
                - dense: { units: 3, activation: relu }
                - dense: { units: 3, activation: gelu }
                - dropout: { rate: 0.1 }
                - add: {}
                  inputs: [dense1, dropout1, dense1]
                - dense: { units: 2 }
            loss: softmaxCrossEntropy
            optimizer: { adam: { learningRate: 0.02 } }
            training: { batchSize: {{numbers.Item3}}, microBatches: {{numbers.Item4}}, epochs: 3 }
            parallelism: { replicas: {{cut.Item1}}, stages: {{cut.Item2}}, schedule: {{(cut.Item3 ? "gpipe" : "1f1b")}}, averaging: {{(cut.Item4 ? "gradients" : "{ parameters: { every: 2 } }")}} }
            """,
            moments.Item1,
            moments.Item2,
            moments.Item3);

    [Fact]
    public void Whatever_ends_a_job_every_tensor_comes_back_and_the_node_takes_the_next_one()
    {
        var outcomes = new HashSet<string>();
        Any.Sample(scenario => { outcomes.Add(RunTwice(scenario).GetType().Name); }, iter: 400, threads: 1);
        outcomes.ShouldBe(
            [nameof(TrainingCompleted), nameof(TrainingFailed), nameof(TrainingCancelled)], ignoreOrder: true);
    }

    private static TrainingEvent RunTwice(Scenario scenario)
    {
        var parsed = JobFile.Parse("random.yaml", scenario.Text);
        parsed.Errors.ShouldBeEmpty();
        var job = parsed.Job!;
        var data = DataLoader.Load(job.Data, job.Seed, ".", 2);
        var labels = data.Train.Labels.ToArray();
        if (scenario.BadLabel >= 0)
        {
            labels[scenario.BadLabel % labels.Length] = 99;
        }

        var spoilt = new DataSet(Examples.OfFloats(new Shape(2), Features(data.Train), labels), data.Test);
        var pool = new TensorPool();
        using var loop = new SimulationLoop(scenario.Seed, new SimulationOptions { Dispatchers = [LayerThreads.DispatcherOf(0)] });
        var node = loop.CreateNode("node");
        var set = data;
        var directory = Nodes.Start(node, pool, () => set);
        var outcome = Run(spoilt, "first", scenario.Messages);
        Run(data, "second", long.MaxValue).ShouldBeOfType<TrainingCompleted>();
        return outcome;

        TrainingEvent Run(DataSet given, string name, long cancelAfter)
        {
            set = given;
            JobOver? over = null;
            Action<JobOver> end = last => over = last;
            var watcher = node.System.ActorOf(Props.Create(() => new Watcher(end)), $"{name}-watcher");
            var run = new JobRun(name, job, Graph.Of(job.Model, job.Seed), set, null);
            var actor = node.System.ActorOf(JobActor.Props(run, directory, new JobKeeper(pool), watcher), name);
            loop.RunUntil(() => loop.MessageCount >= cancelAfter || over is not null);
            loop.After(TimeSpan.Zero, () => actor.Tell(new CancelJob()));
            if (cancelAfter != long.MaxValue)
            {
                loop.RunUntil(() => over is not null);
            }

            loop.RunUntilQuiescent();
            foreach (var layer in over!.Parameters)
            {
                layer.Dispose();
            }

            pool.Outstanding.ShouldBe(0, $"{over.Event}");
            return over.Event;
        }
    }

    private static float[] Features(Examples examples)
    {
        var features = new float[examples.Count * 2];
        examples.Gather([.. Enumerable.Range(0, examples.Count)], 1, features, new int[examples.Count]);
        return features;
    }

    private sealed record Scenario(string Text, long Messages, int BadLabel, ulong Seed);

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(Action<JobOver> end)
        {
            Receive<JobEvent>(_ => { });
            Receive<JobOver>(end);
        }
    }
}
