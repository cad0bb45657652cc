using System.Diagnostics;
using System.Text.Json;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Tests;

/// <summary>
/// The production actors of a job under a seed: whatever the order of messages, the weights are those that
/// <c>backprop train</c> trains.
/// </summary>
public sealed class TrainingTests
{
    private const int Seeds = 200;

    private const string JobText = """
        name: small
        seed: 11
        data: { format: xor, train: { examples: 50 }, test: { examples: 21 } }
        model:
          input: [2]
          layers:
            - dense: { units: 7, activation: tanh }
            - dropout: { rate: 0.2 }
            - dense: { units: 2 }
        loss: softmaxCrossEntropy
        optimizer: { adam: { learningRate: 0.02 } }
        training: { batchSize: 13, microBatches: 3, epochs: 2 }
        parallelism: { replicas: 2, stages: 2, schedule: 1f1b, averaging: gradients }
        """;

    private const string AveragesGradients = "gradients";

    // Neither an epoch nor the job ends with a round: the job's last step makes one of its own.
    private const string AveragesParameters =
        "{ parameters: { every: 3, outer: { learningRate: 0.7, momentum: 0.5, nesterov: true }, innerState: average } }";

    [Theory]
    [InlineData(AveragesGradients)]
    [InlineData(AveragesParameters)]
    public void Two_hundred_orders_of_messages_train_one_hash_and_it_is_that_of_train(string averaging)
    {
        var text = JobText.Replace("averaging: gradients", $"averaging: {averaging}", StringComparison.Ordinal);
        var job = JobFile.Parse("small.yaml", text).Job!;
        var data = DataLoader.Load(job.Data, job.Seed, ".", 2);
        var hashes = new HashSet<string>();
        var traces = new HashSet<string>();
        for (var seed = 1UL; seed <= Seeds; seed++)
        {
            var run = Simulate(seed, job, data);
            hashes.Add(run.Completed.WeightsSha256);
            traces.Add(run.Trace);
        }

        hashes.ShouldHaveSingleItem().ShouldBe(HashOfTrain(text));
        traces.Count.ShouldBe(Seeds);
    }

    [Fact]
    public void A_seed_replays_the_same_messages()
    {
        var job = JobFile.Parse("small.yaml", JobText).Job!;
        var data = DataLoader.Load(job.Data, job.Seed, ".", 2);
        for (var seed = 1000UL; seed < 1020; seed++)
        {
            Simulate(seed, job, data).Trace.ShouldBe(Simulate(seed, job, data).Trace);
        }
    }

    [Fact]
    public void A_job_cancelled_at_any_message_ends_and_returns_every_tensor()
    {
        var job = JobFile.Parse("small.yaml", JobText).Job!;
        var data = DataLoader.Load(job.Data, job.Seed, ".", 2);
        var outcomes = new HashSet<string>();
        for (var messages = 10; messages < 1500; messages += 7)
        {
            var pool = new TensorPool();
            using var loop = new SimulationLoop((ulong)messages, Options());
            var (watcher, start) = Prepare(loop, job, data, pool);
            var jobActor = start();
            loop.RunUntil(() => loop.MessageCount >= messages || watcher.Over is not null);
            loop.After(TimeSpan.Zero, () => jobActor.Tell(new CancelJob()));
            loop.RunUntil(() => watcher.Over is not null);
            outcomes.Add(watcher.Over!.Event.GetType().Name);
            loop.RunUntilQuiescent();
            Release(watcher.Over);
            pool.Outstanding.ShouldBe(0, $"cancelled after {messages} messages");
        }

        outcomes.ShouldContain(nameof(TrainingCancelled));
    }

    private static (TrainingCompleted Completed, string Trace) Simulate(ulong seed, TrainingJob job, DataSet data)
    {
        var pool = new TensorPool();
        using var loop = new SimulationLoop(seed, Options());
        var (watcher, start) = Prepare(loop, job, data, pool);
        start();
        loop.RunUntil(() => watcher.Over is not null);
        var completed = watcher.Over!.Event.ShouldBeOfType<TrainingCompleted>();
        Release(watcher.Over);
        loop.RunUntilQuiescent();
        loop.Nodes[0].Errors.ShouldBeEmpty();
        pool.Outstanding.ShouldBe(0);
        return (completed, loop.TraceHash);
    }

    private static SimulationOptions Options() => new() { Dispatchers = [LayerThreads.DispatcherOf(0)] };

    private static (Watcher Watcher, Func<IActorRef> Start) Prepare(
        SimulationLoop loop, TrainingJob job, DataSet data, TensorPool pool)
    {
        var node = loop.CreateNode("node");
        var watcher = new Watcher();
        var directory = Nodes.Start(node, pool, data);
        var watching = node.System.ActorOf(Props.Create(() => new WatchingActor(watcher)), "watcher");
        var run = new JobRun("small", job, Graph.Of(job.Model, job.Seed), data, null);
        return (watcher, () => node.System.ActorOf(JobActor.Props(run, directory, new JobKeeper(pool), watching), "job"));
    }

    private static void Release(JobOver over)
    {
        foreach (var layer in over.Parameters)
        {
            layer.Dispose();
        }
    }

    private static string HashOfTrain(string text)
    {
        var path = Path.Combine(Path.GetTempPath(), $"small-{Environment.ProcessId}.yaml");
        File.WriteAllText(path, text);
        try
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet")
            {
                ArgumentList = { Path.Combine(AppContext.BaseDirectory, "backprop.dll"), "train", path, "--json", "--threads", "2" },
                RedirectStandardOutput = true,
            })!;
            var lines = process.StandardOutput.ReadToEnd().TrimEnd().Split('\n');
            process.WaitForExit();
            process.ExitCode.ShouldBe(0);
            return JsonDocument.Parse(lines[^1]).RootElement.GetProperty("weightsSha256").GetString()!;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class Watcher
    {
        public JobOver? Over { get; set; }
    }

    private sealed class WatchingActor : ReceiveActor
    {
        public WatchingActor(Watcher watcher)
        {
            Receive<JobEvent>(_ => { });
            Receive<JobOver>(over => watcher.Over = over);
        }
    }
}
