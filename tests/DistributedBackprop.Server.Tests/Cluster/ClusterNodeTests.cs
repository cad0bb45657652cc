using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Tests.Cluster;

/// <summary>Processes make a cluster, and the node directory shows it as it is.</summary>
public sealed class ClusterNodeTests
{
    [Fact]
    public async Task The_directory_sees_nodes_come_and_go()
    {
        await using var cluster = await ClusterNodes.StartAsync();
        var first = await cluster.AddAsync("node-1");
        await cluster.AddAsync("node-2", options => options with { Threads = 3 });
        await cluster.AddAsync("node-3");
        var nodes = await cluster.UntilAsync(
            ("node-1", NodePresence.Up), ("node-2", NodePresence.Up), ("node-3", NodePresence.Up));

        nodes.Select(node => node.Description.Threads).ShouldBe([1, 3, 1]);
        nodes.ShouldAllBe(node => node.Description.ProcessId == Environment.ProcessId);
        nodes.ShouldAllBe(node => node.Description.Version == ProgramVersion.Current);
        nodes[0].Description.Tensors!.Port.ShouldBe(first.Plane.EndPoint!.Port);
        nodes[0].Agent.Path.Address.Port.ShouldBe(first.Address.Port);

        (await first.LeaveAsync()).ShouldBeTrue("it held no work");
        await cluster.UntilAsync(("node-2", NodePresence.Up), ("node-3", NodePresence.Up));
    }

    [Fact]
    public async Task A_node_that_wants_to_go_is_shown_as_leaving_and_is_answered()
    {
        await using var cluster = await ClusterNodes.StartAsync();
        await cluster.AddAsync("node-1");
        await cluster.UntilAsync(("node-1", NodePresence.Up));
        cluster.Coordinator.Directory!.Tell(new NodeLeaving("node-1"), Akka.Actor.ActorRefs.NoSender);
        await cluster.UntilAsync(("node-1", NodePresence.Leaving));
    }

    // A standby's directory asks as well, and last: it is the other one that jobs listen to.
    [Fact]
    public async Task With_two_that_may_coordinate_the_job_hears_of_a_node_that_wants_to_go()
    {
        await using var cluster = await ClusterNodes.StartAsync();
        var leaves = await cluster.AddAsync("node-1");
        await cluster.AddAsync("node-2");
        await cluster.UntilAsync(("node-1", NodePresence.Up), ("node-2", NodePresence.Up));
        var standby = await cluster.AddAsync("standby", options => options with { Roles = [NodeOptions.Coordinator] });
        await standby.NodesAsync(nodes => nodes.Length == 2, cluster.Overdue);

        var job = Jobs.Deep(replicas: 2);
        var run = new JobRun(
            "leaving-1",
            job with { Training = job.Training with { Epochs = 200 } },
            Graph.Of(job.Model, job.Seed),
            DataLoader.Load(job, Graph.Of(job.Model, job.Seed).Output, "."),
            null)
        {
            StepsAhead = 8,
        };
        var generations = new List<GenerationStarted>();
        Task<bool>? leaving = null;
        using var result = await Task.Run(() => cluster.Coordinator.RunAsync(
            run,
            happened =>
            {
                if (happened is GenerationStarted generation)
                {
                    generations.Add(generation);
                }
                else if (happened is StepDone { Step: 100 })
                {
                    leaving = leaves.LeaveAsync();
                    leaving.WaitAsync(cluster.Overdue).GetAwaiter().GetResult();
                }
            },
            cluster.Overdue));
        (await leaving!).ShouldBeTrue("its work was handed over");
        result.Outcome.ShouldBeOfType<TrainingCompleted>().Recoveries.ShouldBe(0);
        generations.Select(generation => generation.Reason).ShouldBe(["the job begins", "node-1 leaves"]);
    }

    [Fact]
    public async Task A_node_that_is_taken_for_dead_is_gone_at_once_and_ends_where_it_is_not()
    {
        await using var cluster = await ClusterNodes.StartAsync();
        var node = await cluster.AddAsync("node-1");
        var nodes = await cluster.UntilAsync(("node-1", NodePresence.Up));
        cluster.Coordinator.Directory!.Tell(new NodeIsDead(nodes[0].Agent), Akka.Actor.ActorRefs.NoSender);
        await cluster.UntilAsync();
        node.Ended.IsCompleted.ShouldBeFalse("its successor is to find it up");
        (await node.Ended.WaitAsync(cluster.Overdue)).ShouldBe("the cluster has put this node down, or lost it");
    }

    [Fact]
    public async Task Who_follows_a_dead_node_at_its_address_does_not_wait_until_that_is_found()
    {
        await using var cluster = await ClusterNodes.StartAsync();
        await cluster.AddAsync("node-1");
        var dead = await cluster.AddAsync("node-2");
        var nodes = await cluster.UntilAsync(("node-1", NodePresence.Up), ("node-2", NodePresence.Up));
        ((Akka.Actor.ExtendedActorSystem)dead.System).Abort();
        await dead.System.WhenTerminated.WaitAsync(cluster.Overdue);
        cluster.Coordinator.Directory!.Tell(new NodeIsDead(nodes[1].Agent), Akka.Actor.ActorRefs.NoSender);
        await cluster.UntilAsync(("node-1", NodePresence.Up));

        await cluster.AddAsync("node-2", options => options with { Port = dead.Address.Port });
        await cluster.UntilAsync(("node-1", NodePresence.Up), ("node-2", NodePresence.Up));
        cluster.Log.ShouldNotContain(line => line.Contains("Marking node(s) as UNREACHABLE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_of_another_version_is_refused_with_both_versions_named()
    {
        await using var cluster = await ClusterNodes.StartAsync();
        var stranger = await cluster.AddAsync("stranger", options => options with { Version = "0.0.9" });
        await cluster.AddAsync("node-1");
        var reason = await stranger.Ended.WaitAsync(cluster.Overdue);
        reason.ShouldBe($"node 'stranger' has version 0.0.9, this cluster has version {ProgramVersion.Current}");
        await cluster.UntilAsync(("node-1", NodePresence.Up));
    }

    [Fact]
    public async Task The_second_node_of_a_name_is_refused()
    {
        await using var cluster = await ClusterNodes.StartAsync();
        var first = await cluster.AddAsync("node-1");
        await cluster.UntilAsync(("node-1", NodePresence.Up));
        var second = await cluster.AddAsync("node-1");
        (await second.Ended.WaitAsync(cluster.Overdue)).ShouldContain("a node named 'node-1' is there already");
        var nodes = await cluster.UntilAsync(("node-1", NodePresence.Up));
        nodes[0].Agent.Path.Address.Port.ShouldBe(first.Address.Port);
        first.Ended.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Who_does_not_know_the_secret_does_not_join()
    {
        await using var cluster = await ClusterNodes.StartAsync();
        var stranger = await cluster.AddAsync(
            "stranger", options => new NodeOptions(options.Name, NodeSecret.Random()) { Seeds = options.Seeds });

        // Nodes that come later are in: so the stranger, which began before them, was turned away rather than slow.
        await cluster.AddAsync("node-1");
        await cluster.UntilAsync(("node-1", NodePresence.Up));
        Akka.Cluster.Cluster.Get(cluster.Coordinator.System).State.Members
            .ShouldNotContain(member => member.Address.Port == stranger.Address.Port);
        Akka.Cluster.Cluster.Get(stranger.System).State.Members.ShouldBeEmpty();
    }

    [Fact]
    public async Task With_TLS_only_nodes_with_a_certificate_of_the_authority_join()
    {
        using var folder = new CertificateFolder();
        var ours = folder.Authority("ours");
        var theirs = folder.Authority("theirs");
        await using var cluster = await ClusterNodes.StartAsync(ours.Node("head"));
        var impostor = await cluster.AddAsync("impostor", options => options with { Tls = theirs.Node("impostor") });
        var plain = await cluster.AddAsync("plain");
        await cluster.AddAsync("node-1", options => options with { Tls = ours.Node("node-1") });
        await cluster.UntilAsync(("node-1", NodePresence.Up));
        Akka.Cluster.Cluster.Get(impostor.System).State.Members.ShouldBeEmpty();
        Akka.Cluster.Cluster.Get(plain.System).State.Members.ShouldBeEmpty();
    }
}
