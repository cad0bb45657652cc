using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>What the simulation found in the program, each as the shortest course that leads there.</summary>
public sealed class FoundDefectsTests : ClusterSpec
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(13)]
    [InlineData(508)]
    public void A_connection_breaks_while_a_checkpoint_is_being_committed(ulong seed)
    {
        // The commit is told while the number of the next generation waits behind it: layers and course begin at one step.
        var isLost = false;
        var simulation = new ClusterSimulation(SmallJob, Scenario.None)
        {
            Prepare = cluster => cluster.Loop.MessageHandled += sent =>
            {
                if (sent.Message is StateWritten && !isLost)
                {
                    isLost = true;
                    cluster.Disk.LongestWrite = TimeSpan.FromSeconds(20);
                    cluster.Loop.After(TimeSpan.Zero, () => BreakAny(cluster).ShouldBeTrue());
                    cluster.Loop.After(TimeSpan.FromSeconds(30), () => cluster.Disk.LongestWrite = SimulatedDisk.UsualWrite);
                }
            },
        };
        simulation.Run(seed).Problems.ShouldBeEmpty();
        isLost.ShouldBeTrue();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(217)]
    [InlineData(608)]
    public void A_node_that_is_cut_off_when_the_job_ends_gives_up_what_it_keeps(ulong seed)
    {
        using var cluster = new SimulatedCluster(seed, SmallJob, 4, new ClusterOptions { RemovedAfter = TimeSpan.FromHours(2) });
        cluster.RunUntilStep(12);
        var lost = Worker(cluster);
        Apart(cluster, lost, cluster.Weather.Cut);
        cluster.RunToEnd().ShouldBeOfType<TrainingCompleted>();
        cluster.TensorsOf(lost).ShouldBeGreaterThan(0);
        cluster.Loop.RunFor(TimeSpan.FromSeconds(1));
        Apart(cluster, lost, cluster.Weather.Heal);
        cluster.Loop.RunFor(TimeSpan.FromMinutes(2));
        cluster.TensorsOf(lost).ShouldBe(0);
        cluster.WeightsSha256.ShouldBe(Undisturbed());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1004)]
    [InlineData(2124)]
    public void A_pause_whose_checkpoint_is_not_saved_is_a_pause(ulong seed)
    {
        using var cluster = Cluster(seed);
        cluster.RunUntilStep(7);
        var isPausing = false;
        var hasFailed = false;
        cluster.Loop.MessageHandled += sent =>
        {
            if (sent.Message is WriteState && isPausing)
            {
                cluster.Disk.Fails = true;
            }
            else if (sent.Message is StoreFailed { Request: WriteState })
            {
                (cluster.Disk.Fails, hasFailed) = (false, true);
            }
        };
        isPausing = true;
        cluster.PauseJob();
        cluster.RunUntil(() => cluster.Course.IsPaused);
        hasFailed.ShouldBeTrue();
        isPausing = false;
        cluster.ResumeJob().ShouldBeTrue();
        cluster.RunToEnd();
        cluster.WeightsSha256.ShouldBe(Undisturbed());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_job_that_stops_at_the_step_of_a_checkpoint_ends_with_its_last_round(ulong seed)
    {
        // Its loss is low enough after the first epoch, of eight steps: between two rounds of three. The checkpoint of that very
        // step, from before the round is closed, is still on its way when the job asks for its last parameters, and is saved
        // before they come.
        using var cluster = new SimulatedCluster(seed, Stopping(everySteps: 8));
        var (isStalled, hasCome, isAsked) = (false, false, false);
        cluster.Loop.MessageHandled += sent =>
        {
            if (sent.Message is CaptureNoted { AfterStep: 8 } && !isStalled)
            {
                isStalled = true;
                ForAll(cluster.Weather.Stall);
            }
            else if (sent.Message is RoundClosed && !hasCome)
            {
                hasCome = true;
                cluster.Loop.After(TimeSpan.FromSeconds(1), () => ForAll(cluster.Weather.EndStall));
            }
            else if (sent.Message is CaptureState { ParametersOnly: true } && !isAsked)
            {
                isAsked = true;
                ForAll(cluster.Weather.Stall);
                cluster.Loop.After(TimeSpan.FromSeconds(1), () => ForAll(cluster.Weather.EndStall));
            }
        };
        var outcome = cluster.RunToEnd().ShouldBeOfType<TrainingCompleted>();
        (hasCome, isAsked).ShouldBe((true, true));
        outcome.Steps.ShouldBe(8);
        cluster.Events.OfType<GenerationStarted>().ShouldHaveSingleItem();
        outcome.WeightsSha256.ShouldBe(Expectation.Of(Stopping(everySteps: 1000)).WeightsSha256);

        void ForAll(Action<string, string> change)
        {
            foreach (var worker in cluster.Workers)
            {
                change(worker, SimulatedCluster.Coordinator);
            }
        }
    }

    private static SimulatedJob Stopping(int everySteps) => SimulatedJob.Parse(DefaultJob.Text
        .Replace("averaging: gradients", "averaging: { parameters: { every: 3 } }", StringComparison.Ordinal)
        .Replace(", test: { examples: 21 }", "", StringComparison.Ordinal)
        .Replace("epochs: 5", "epochs: 5, stopWhen: { trainLoss: 100 }", StringComparison.Ordinal)
        .Replace("everySteps: 5", $"everySteps: {everySteps}", StringComparison.Ordinal));

    private static bool BreakAny(SimulatedCluster cluster) =>
        cluster.Workers.Any(from => cluster.Workers.Any(to => cluster.BreakLink(from, to)));

    // One that works on the job, whoever that is.
    private static string Worker(SimulatedCluster cluster) =>
        cluster.Events.OfType<GenerationStarted>().Last().Placement.Nodes[^1];

    private static void Apart(SimulatedCluster cluster, string node, Action<string, string> way)
    {
        foreach (var other in cluster.Workers.Append(SimulatedCluster.Coordinator).Where(other => other != node))
        {
            way(node, other);
            way(other, node);
        }
    }
}
