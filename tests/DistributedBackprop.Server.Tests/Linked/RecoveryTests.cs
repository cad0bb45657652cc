using System.Collections.Immutable;
using Akka.Actor;
using CsCheck;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>Nodes die, jobs pause: the bits are those of the plain interpreter, and every step is told once.</summary>
public sealed class RecoveryTests
{
    // Far enough ahead that a node dies in the middle of steps, not between two of them.
    private const long StepsAhead = 3;

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public async Task Nodes_that_die_do_not_show_in_the_bits(bool averagesParameters, bool isToldOfDeaths)
    {
        await using var linked = await LinkedNodes.StartAsync([1, 2, 1]);
        var recoveries = 0;
        var checkpoints = 0;
        Gen.Select(new RandomJobs(averagesParameters), Gen.Int[1, 4], Gen.Int[1, 8], Gen.Int[0, 2], Gen.Bool).Sample(
            (random, every, step, victim, comesBack) =>
            {
                var job = random.Job with { Checkpoints = new CheckpointPlan { EverySteps = every } };
                var node = linked.Nodes[victim];
                var name = node.Name;
                var hasDied = false;
                var run = linked.TrainStepwiseAsync(job, random.ToDataSet(), linked.Nodes, StepsAhead, async (at, training) =>
                {
                    if (at == step)
                    {
                        hasDied = true;
                        await linked.DieAsync(name);
                        if (isToldOfDeaths)
                        {
                            training.Nodes([.. linked.Nodes.Where(other => other.Name != name)]);
                        }
                        else
                        {
                            training.FallsSilent(node);
                        }
                    }
                    else if (at == step + 4 && comesBack)
                    {
                        await linked.ReviveAsync(name);
                        training.Nodes(linked.Nodes);
                        hasDied = false;
                    }
                }).GetAwaiter().GetResult();
                run.ShouldHaveTheBitsOf(random);
                var caused = run.Generations.Count(generation => generation.Reason.Contains(" is lost: ", StringComparison.Ordinal));
                if (run.Outcome is TrainingCompleted completed)
                {
                    completed.Recoveries.ShouldBe(caused, string.Join("; ", run.Generations.Select(generation => generation.Reason)));
                    caused.ShouldBeLessThanOrEqualTo(1);
                }

                recoveries += caused;
                checkpoints += run.Events.OfType<CheckpointSaved>().Count();
                run.Events.OfType<CheckpointSaved>().Select(saved => saved.Step).ShouldBeInOrder();
                if (hasDied)
                {
                    linked.ReviveAsync(name).GetAwaiter().GetResult();
                }

                linked.UntilNothingIsHeldAsync().GetAwaiter().GetResult();
            },
            iter: 40,
            threads: 1);

        // A job may be over before its node would die, or have trained all when it does.
        recoveries.ShouldBeGreaterThan(3);
        checkpoints.ShouldBeGreaterThan(3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_that_pauses_and_goes_on_has_the_bits_of_one_that_never_stopped(bool averagesParameters)
    {
        await using var linked = await LinkedNodes.StartAsync([1, 2, 1]);
        var paused = 0;
        Gen.Select(new RandomJobs(averagesParameters), Gen.Int[1, 8], Gen.Int[1, 7], Gen.Int[1, 7]).Sample(
            (random, step, first, second) =>
            {
                var data = random.ToDataSet();
                var run = linked.TrainStepwiseAsync(random.Job, data, Subset(linked, first), StepsAhead, PauseAt).GetAwaiter().GetResult();
                if (run.Outcome is TrainingPaused outcome)
                {
                    paused++;
                    run.Steps.LastOrDefault().ShouldBe(outcome.Step);
                    outcome.Step.ShouldBeGreaterThanOrEqualTo(step);
                    linked.Outstanding.ShouldBeGreaterThan(0);
                    var rest = linked.TrainStepwiseAsync(random.Job, data, Subset(linked, second), 4096, Nothing, run.GoesOnFrom)
                        .GetAwaiter().GetResult();
                    run = rest with { Events = [.. run.Events, .. rest.Events] };
                }

                run.ShouldHaveTheBitsOf(random);
                linked.UntilNothingIsHeldAsync().GetAwaiter().GetResult();

                Task PauseAt(long at, LinkedJob training)
                {
                    if (at == step)
                    {
                        training.Actor.Tell(new PauseJob());
                    }

                    return Task.CompletedTask;
                }
            },
            iter: 60,
            threads: 1);
        paused.ShouldBeGreaterThan(10);
    }

    [Fact]
    public async Task A_job_whose_nodes_are_all_lost_waits_and_says_so()
    {
        var job = Jobs.Deep(stages: 3, replicas: 2);
        await using var linked = await LinkedNodes.StartAsync([1, 1]);
        var points = Jobs.Points();
        var run = await linked.TrainStepwiseAsync(
            job,
            LinkedExpectation.ToDataSet(job, points),
            linked.Nodes,
            1,
            async (step, training) =>
            {
                if (step == 3)
                {
                    await linked.DieAsync("n1");
                    await linked.DieAsync("n2");
                    training.Nodes([]);
                }
            },
            start: null,
            async training =>
            {
                await linked.ReviveAsync("n1");
                training.Nodes([linked.Nodes[0]]);
            });
        run.Events.OfType<TrainingWaits>().ShouldHaveSingleItem().Reason.ShouldBe("there are no nodes");
        run.Completed.WeightsSha256.ShouldBe(PlainInterpreter.Run(job, points).WeightsSha256);

        // The job may go on with the second one before that dies too.
        run.Completed.Recoveries.ShouldBeInRange(1, 2);
    }

    private static Task Nothing(long step, LinkedJob job) => Task.CompletedTask;

    private static ImmutableArray<NodeInfo> Subset(LinkedNodes linked, int bits) =>
        [.. linked.Nodes.Where((_, index) => (bits & (1 << index)) != 0)];
}
