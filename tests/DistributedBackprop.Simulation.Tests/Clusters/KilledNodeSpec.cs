using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>What users write: the first spec is in the README, word by word.</summary>
public sealed class KilledNodeSpec : ClusterSpec
{
    [Fact]
    public void A_node_killed_at_step_12_changes_no_bit()
    {
        using var cluster = Cluster(seed: 7, nodes: 4);
        cluster.RunUntilStep(12);
        cluster.Kill("n2");
        cluster.RunToEnd();

        cluster.WeightsSha256.ShouldBe(Undisturbed());
        var generations = cluster.Events.OfType<GenerationStarted>().ToList();
        generations.Count.ShouldBeGreaterThan(1);
        generations[^1].Placement.Nodes.ShouldNotContain("n2");
        cluster.Events.OfType<StepDone>().Select(step => step.Step).ShouldBe(Enumerable.Range(1, 40).Select(step => (long)step));
    }

    [Fact]
    public void A_probe_sees_the_activations_and_the_deltas_that_pass()
    {
        using var cluster = Cluster(seed: 8, nodes: 2);
        var probe = TapTensors(cluster);
        cluster.RunUntilStep(3);
        var seen = Seen<SeenTensor>(probe);
        seen.ShouldContain(tensor => tensor.IsActivation && tensor.Step == 1 && tensor.Replica == 1);
        seen.ShouldContain(tensor => !tensor.IsActivation && tensor.Step == 1 && tensor.Replica == 1);
        seen.ShouldAllBe(tensor => tensor.Values.All(float.IsFinite));
    }

    [Fact]
    public void A_coordinator_that_is_killed_goes_on_where_its_journal_is()
    {
        using var cluster = Cluster(seed: 10);
        cluster.RunUntilStep(22);
        cluster.Kill("coordinator");
        cluster.Loop.RunFor(TimeSpan.FromSeconds(1));
        cluster.Restart("coordinator");
        cluster.RunToEnd();
        cluster.WeightsSha256.ShouldBe(Undisturbed());
        cluster.Events.OfType<GenerationStarted>().ShouldContain(generation => generation.Step >= 15);
    }
}
