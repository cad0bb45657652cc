using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using DistributedBackprop.Simulation.Services;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>What is durable although its writer was told otherwise, or asked too late: nobody takes it for somebody else's.</summary>
public sealed class LostAnswersTests : ClusterSpec
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_takeover_that_is_durable_and_told_to_have_failed_is_ones_own(ulong seed)
    {
        using var cluster = Cluster(seed);
        var died = new List<string>();
        var takeovers = 0;
        cluster.Died = died.Add;
        cluster.Loop.MessageHandled += sent =>
            takeovers += sent.Message is Akka.Persistence.WriteMessageFailure { Cause: not null } failure
                && failure.Persistent.Payload is JobTookOver ? 1 : 0;
        cluster.RunUntilStep(7);
        cluster.Disk.LosesAnswers = true;
        cluster.RunUntil(() => takeovers > 0);
        cluster.Disk.LosesAnswers = false;
        cluster.RunToEnd();
        died.ShouldBeEmpty();
        cluster.Events.ShouldNotContain(told => told is TrainingFailed);
        cluster.WeightsSha256.ShouldBe(Undisturbed());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_coordinator_that_was_frozen_before_it_opened_a_job_leaves_it_to_the_one_that_has_it_since(ulong seed)
    {
        using var service = new SimulatedService(seed, DefaultJob.LoadQueue(1));
        var cluster = service.Cluster;
        var job = service.Jobs[0];
        var isHandedIn = false;
        cluster.Loop.MessageHandled += sent => isHandedIn |= sent.Message is Actors.Jobs.SubmitJob;
        service.RunUntil(() => isHandedIn);
        var (old, died) = (cluster.CoordinatorName, new List<string>());
        cluster.Died = died.Add;
        cluster.Pause(old);
        cluster.TakeOver();
        service.RunUntil(() => job.Trained > 2);
        cluster.Continue(old);
        service.RunToEnd().ShouldBeTrue();
        job.Problems.ShouldBeEmpty();
        job.WeightsSha256.ShouldBe(Expectation.Of(job.Job).WeightsSha256);
        cluster.Loop.RunFor(TimeSpan.FromMinutes(2));
        died.ShouldBe([old]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_job_that_is_cancelled_while_it_comes_to_pause_is_cancelled(ulong seed)
    {
        using var service = new SimulatedService(seed, DefaultJob.LoadQueue(1));
        var (cluster, job) = (service.Cluster, service.Jobs[0]);
        var isCancelled = false;
        cluster.Loop.MessageHandled += sent =>
        {
            if (sent.Message is KeepRecord { Record: Actors.Journal.JobPaused } && !isCancelled)
            {
                // The cancel is acknowledged before the queue hears that the job stands still.
                isCancelled = true;
                cluster.Disk.LongestWrite = TimeSpan.FromSeconds(4);
                cluster.Loop.After(TimeSpan.Zero, () => service.Cancel(job.Id));
                cluster.Loop.After(TimeSpan.FromSeconds(20), () => cluster.Disk.LongestWrite = SimulatedDisk.UsualWrite);
            }
        };
        service.RunUntil(() => job.Trained == 5);
        service.Pause(job.Id);
        service.RunUntil(() => job.Final is not null);
        isCancelled.ShouldBeTrue();
        job.Final!.State.ShouldBe(JobState.Cancelled);
    }

    [Fact]
    public void Writes_that_are_broken_off_or_not_answered_change_no_bit()
    {
        var scenario = Scenario.None with
        {
            Least = 8,
            Most = 8,
            Longest = TimeSpan.FromSeconds(2),
            Kinds = Scenario.None.Kinds.Add(FaultKind.DiskLosesAnswers, 1).Add(FaultKind.DiskTears, 1).Add(FaultKind.NodeCrashes, 1),
        };
        var (broken, unanswered) = (0, 0);
        var simulation = new ClusterSimulation(SmallJob, scenario)
        {
            Prepare = cluster => cluster.Loop.MessageHandled += sent =>
            {
                var why = (sent.Message as StoreFailed)?.Reason ?? "";
                broken += why.Contains("breaks a write off", StringComparison.Ordinal) ? 1 : 0;
                unanswered += why.Contains("connection", StringComparison.Ordinal) ? 1 : 0;
            },
        };
        Enumerable.Range(1, 40).SelectMany(seed => simulation.Run((ulong)seed).Problems).ShouldBeEmpty();
        broken.ShouldBeGreaterThan(5);
        unanswered.ShouldBeGreaterThan(1);
    }
}
