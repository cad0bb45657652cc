using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Jobs;
using Activation = DistributedBackprop.Actors.Pipeline.Activation;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>
/// The base of specs about whole clusters: jobs are trained in simulated clusters, faults are called by name, and TestKit's
/// probes see what passes. Everything runs on the spec's own thread in virtual time: a spec never waits and never awaits.
/// </summary>
/// <remarks>
/// A spec makes a cluster, lets it run up to a step, does something to it, and lets it run to its end. What a probe expects
/// must have happened by then: probes are asked with no time to wait.
/// </remarks>
public abstract class ClusterSpec : TestKit
{
    /// <summary>The small job that is trained where a spec names none.</summary>
    protected static SimulatedJob SmallJob { get; } = DefaultJob.Load();

    /// <summary>A job from the text of a job file.</summary>
    protected static SimulatedJob Job(string yaml) => SimulatedJob.Parse(yaml);

    /// <summary>A cluster of <paramref name="nodes"/> nodes, <c>n1</c>, <c>n2</c>, …; the spec disposes of it.</summary>
    protected static SimulatedCluster Cluster(ulong seed, SimulatedJob? job = null, int nodes = 4) => new(seed, job ?? SmallJob, nodes);

    /// <summary>The hash of the weights of a run to which nothing happens.</summary>
    protected static string Undisturbed(SimulatedJob? job = null) => Expectation.Of(job ?? SmallJob).WeightsSha256;

    /// <summary>A probe that is told what of each message <paramref name="see"/> makes; null: it is not told.</summary>
    /// <remarks>Tensors belong to the actors: <paramref name="see"/> copies what it needs of them.</remarks>
    protected TestProbe Tap(SimulatedCluster cluster, Func<SentMessage, object?> see)
    {
        var probe = CreateTestProbe();
        cluster.Loop.MessageHandled += sent =>
        {
            if (see(sent) is { } seen)
            {
                probe.Ref.Tell(seen);
            }
        };
        return probe;
    }

    /// <summary>A probe that is told of every activation and every delta that an actor takes.</summary>
    protected TestProbe TapTensors(SimulatedCluster cluster) => Tap(cluster, sent => sent.Message switch
    {
        Activation activation => new SeenTensor(true, activation.Key.Step, activation.Edge, activation.Replica, activation.Value.Floats.ToArray()),
        Delta delta => new SeenTensor(false, delta.Key.Step, delta.Edge, delta.Replica, delta.Value.Floats.ToArray()),
        _ => null,
    });

    /// <summary>What a probe was told up to now.</summary>
    protected static IReadOnlyList<T> Seen<T>(TestProbe probe)
    {
        var seen = new List<T>();
        while (probe.HasMessages)
        {
            seen.Add((T)probe.ReceiveOne(TimeSpan.Zero));
        }

        return seen;
    }

    /// <summary>
    /// A node joins for which a probe stands in: it is told what the node's agent would be, and what it replies comes from the
    /// node. It is one of the cluster's nodes once it has replied to <c>DescribeNode</c>.
    /// </summary>
    /// <returns>The node's name, and the probe.</returns>
    protected (string Name, TestProbe Probe) JoinStandIn(SimulatedCluster cluster)
    {
        var probe = CreateTestProbe();
        var to = probe.Ref;
        return (cluster.Join(Props.Create(() => new StandIn(to))), probe);
    }

    /// <summary>
    /// A probe stands in for a layer of one replica: the activations and deltas that come to the layer come to the probe, with
    /// their tensors, and the spec sends what the layer would have sent, to the neighbours that its <see cref="Connect"/> names.
    /// The layer itself does all else: it is connected, and asked for its state.
    /// </summary>
    protected TestProbe StandInForLayer(SimulatedCluster cluster, string layer, int replica = 0)
    {
        var probe = CreateTestProbe();
        var (to, name) = (probe.Ref, $"/r{replica}-{layer}");
        var before = cluster.Loop.StandIn;
        cluster.Loop.StandIn = sent =>
        {
            if (sent.Receiver.EndsWith(name, StringComparison.Ordinal) && sent.Message is Activation or Delta or Connect)
            {
                to.Tell(sent.Message, sent.Sender ?? ActorRefs.NoSender);
                return sent.Message is not Connect;
            }

            return before?.Invoke(sent) ?? false;
        };
        return probe;
    }

    /// <summary>
    /// A probe stands in for the coordinator, which is killed: the spec tells nodes what to do by
    /// <see cref="SimulatedCluster.Tell"/>, and their answers come to the probe, as does what their replicas report.
    /// </summary>
    protected TestProbe StandInForCoordinator(SimulatedCluster cluster)
    {
        cluster.Kill(cluster.CoordinatorName);
        return CreateTestProbe();
    }

    /// <summary>The order to prepare a first generation of a job, all of it on one node.</summary>
    protected static PrepareGeneration FirstOrder(SimulatedJob job, string node) => new(
        job.Job.Name,
        1,
        job.Job,
        job.Data.Fingerprint,
        job.Data.Train.Count,
        new Placement(job.Job.Parallelism.Replicas, job.Job.Parallelism.Stages, (_, _) => node),
        [new Member(node, null, ActorRefs.Nobody)],
        new Member(JobKeeper.Name, null, ActorRefs.Nobody),
        0,
        StateOrigin.Fresh);

    /// <summary>Runs until a probe is told something, and returns it; what it was told before is passed over.</summary>
    protected static T RunUntilTold<T>(SimulatedCluster cluster, TestProbe probe)
        where T : class
    {
        T? told = null;
        cluster.RunUntil(() =>
        {
            while (told is null && probe.HasMessages)
            {
                told = probe.ReceiveOne(TimeSpan.Zero) as T;
            }

            return told is not null;
        });
        return told!;
    }

    // A probe is no actor of the cluster: an answer of its own would have no address there.
    private sealed class StandIn : ReceiveActor
    {
        private readonly Dictionary<IActorRef, IActorRef> _answers = [];

        public StandIn(IActorRef probe) => ReceiveAny(message => probe.Tell(message, AnswersTo(Sender)));

        private IActorRef AnswersTo(IActorRef asker)
        {
            if (!_answers.TryGetValue(asker, out var answers))
            {
                var self = Self;
                _answers.Add(asker, answers = Context.ActorOf(Props.Create(() => new Answers(asker, self)), $"answers-{_answers.Count}"));
            }

            return answers;
        }
    }

    private sealed class Answers : ReceiveActor
    {
        public Answers(IActorRef asker, IActorRef from) => ReceiveAny(answer => asker.Tell(answer, from));
    }
}

/// <summary>A tensor that passed between layers.</summary>
/// <param name="IsActivation">Forward; else a delta, backward.</param>
/// <param name="Step">The step.</param>
/// <param name="Edge">The edge of the graph.</param>
/// <param name="Replica">The replica.</param>
/// <param name="Values">Its elements.</param>
public sealed record SeenTensor(bool IsActivation, long Step, int Edge, int Replica, float[] Values);
