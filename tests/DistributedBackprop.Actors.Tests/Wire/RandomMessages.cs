using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using CsCheck;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Actors.Tests.Wire;

/// <summary>Random messages of every kind that crosses nodes.</summary>
internal sealed class RandomMessages
{
    private static readonly Gen<string> _name = Gen.String[Gen.Char["abcXYZ019_-."], 1, 64];
    private static readonly Gen<string> _jobId = Gen.String[Gen.Char["abcXYZ019_-"], 1, 200];
    private static readonly Gen<long> _generation = Gen.OneOf(Gen.Long[1, 100], Gen.Const(long.MaxValue));
    private static readonly Gen<long> _step = Gen.OneOf(Gen.Const(0L), Gen.Long[0, 100_000], Gen.Const(long.MaxValue));
    private static readonly Gen<long> _count = Gen.OneOf(Gen.Const(0L), Gen.Long[0, 1L << 40], Gen.Const(long.MaxValue));
    private static readonly Gen<int> _replica = Gen.OneOf(Gen.Int[0, 8], Gen.Const(65_535));
    private static readonly Gen<int> _place = Gen.OneOf(Gen.Int[0, 300], Gen.Const((1 << 20) - 1));

    // Whole bit patterns: each NaN is to keep its own, and zero its sign.
    private static readonly Gen<double> _number = Gen.OneOf(
        Gen.Double,
        Gen.Long.Select(BitConverter.Int64BitsToDouble),
        Gen.OneOf(0.0, -0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.Epsilon));

    // Half a character is not text.
    private static readonly Gen<string> _reason = Gen.OneOf(
        Gen.String.Select(text => new string([.. text.Where(c => !char.IsSurrogate(c))])),
        Gen.OneOf("", "größer 数 😀\r\n\t\0"));

    private static readonly Gen<MicroBatchKey> _key = Gen.Select(
        _step, Gen.Int[0, int.MaxValue], Gen.Bool, (step, index, training) => new MicroBatchKey(step, index, training));

    private static readonly Gen<DnsEndPoint?> _tensors = Gen.OneOf(
        Gen.Const((DnsEndPoint?)null),
        Gen.Int[1, 65535].Select(port => (DnsEndPoint?)new DnsEndPoint("10.0.0.7", port, AddressFamily.InterNetwork)),
        Gen.Int[1, 65535].Select(port => (DnsEndPoint?)new DnsEndPoint("::1", port, AddressFamily.InterNetworkV6)),
        Gen.Int[1, 65535].Select(port => (DnsEndPoint?)new DnsEndPoint("node.example", port)));

    private static readonly Gen<(TrainingJob Job, Placement Placement)> _plan =
        from random in Gen.OneOf<RandomJob>(new RandomJobs(), new RandomJobs(averagesParameters: true))
        let job = AsFile(random.Job with { Data = FilesFor(random.Job.Data) })
        let parallelism = job.Parallelism
        from nodes in _name.Array[1, 5]
        from places in Gen.Int[0, nodes.Length - 1].Array[parallelism.Replicas * parallelism.Stages]
        select (job, new Placement(
            parallelism.Replicas,
            parallelism.Stages,
            (replica, stage) => nodes[places[(replica * parallelism.Stages) + stage]]));

    private static readonly Gen<StageStatistics> _stage = Gen.Select(
        Gen.Select(_replica, _place, _number, _number, _count, _number),
        Gen.Dictionary(_place, Gen.Int[0, int.MaxValue])[0, 5],
        (stage, peaks) => new StageStatistics(
            stage.Item1, stage.Item2, stage.Item3, stage.Item4, stage.Item5, stage.Item6, peaks.ToImmutableDictionary()));

    private static readonly Gen<LinkStatistics> _link = Gen.Select(
        _name, _count, _count, _count, _count, (to, activations, deltas, averaging, state) =>
            new LinkStatistics(to, activations, deltas, averaging, state));

    private static readonly Gen<NodeStatistics> _statistics = Gen.Select(
        Gen.Select(_name, Gen.Int[0, int.MaxValue]),
        _stage.Array[0, 4],
        _link.Array[0, 4],
        Gen.Select(_count, _count, _count),
        (node, stages, links, counts) => new NodeStatistics(
            node.Item1, node.Item2, [.. stages], [.. links], counts.Item1, counts.Item2, counts.Item3 / 3.0, counts.Item3));

    /// <param name="actors">The actors that messages name.</param>
    public RandomMessages(params IActorRef[] actors)
    {
        var member = Gen.Select(
            _name, _tensors, Gen.OneOf<IActorRef>(actors), (name, tensors, actor) => new Member(name, tensors, actor));
        Of = ImmutableDictionary.CreateRange(
            DirectoryMessages().Concat(NodeMessages(member)).Concat(JobMessages()).Concat(PipelineMessages()));
    }

    /// <summary>Messages of each kind.</summary>
    public ImmutableDictionary<Type, Gen<IWireMessage>> Of { get; }

    // Random jobs have inputs of any shape: of the sources of data that a job file has, only files may have these.
    private static IdxData FilesFor(DataSource data) => new(
        new IdxFiles("train-features", "train-labels"),
        data is XorData { TestExamples: 0 } ? null : new IdxFiles("test-features", "test-labels"))
    {
        Scale = data.Scale,
        Shuffle = data.Shuffle,
    };

    // As a job file has it: the slope of an activation that has none is not in it.
    private static TrainingJob AsFile(TrainingJob job) => JobFile.Parse("job", CanonicalForm.Of(job)).Job.ShouldNotBeNull();

    private static IEnumerable<KeyValuePair<Type, Gen<IWireMessage>>> DirectoryMessages() =>
    [
        Kind(Gen.Const(new DescribeNode())),
        Kind(Gen.Select(
            _name, Gen.Int[1, 4096], _tensors, Gen.Int[0, int.MaxValue], _name, _name,
            (name, threads, tensors, process, version, settings) =>
                new NodeDescribed(new NodeDescription(name, threads, tensors, process, version, settings)))),
        Kind(_reason.Select(reason => new NodeRefused(reason))),
        Kind(_name.Select(node => new NodeLeaving(node))),
        Kind(_name.Select(node => new LeavingNoted(node))),
        Kind(Gen.Const(new DescribeService())),
        Kind(Gen.Select(
            _name, _tensors.Where(tensors => tensors is not null), Gen.Bool, Gen.Int[0, 4096], Gen.Int[0, int.MaxValue],
            (name, at, tls, threads, process) => new ServiceDescribed(name, at!, tls, threads, process))),
        Kind(Gen.Select(Gen.String[Gen.Char['a', 'z'], 1, 60], Gen.Int, (address, uid) => new DescribeCluster(address, uid))),
        Kind(Gen.Select(Gen.Int, Gen.Bool, (uid, without) => new ClusterDescribed(uid, without))),
    ];

    private static IEnumerable<KeyValuePair<Type, Gen<IWireMessage>>> NodeMessages(Gen<Member> member) =>
    [
        Kind(Orders(member)),
        Kind(Orders(member).Select(order => new AnnounceGeneration(order))),
        Kind(_name.Select(node => new GenerationExpected(node))),
        Kind(Gen.Select(_generation, _name, (generation, node) => new GenerationPrepared(generation, node))),
        Kind(Gen.Select(_generation, _name, _reason, (generation, node, reason) =>
            new GenerationRefused(generation, node, reason))),
        Kind(Gen.Select(_generation, member.Array[0, 5], (generation, members) => new BeginGeneration(generation, [.. members]))),
        Kind(Gen.Select(_generation, _name, (generation, node) => new GenerationBegun(generation, node))),
        Kind(Gen.Select(_generation, _name, _count, (generation, node, elements) => new StateArrives(generation, node, elements))),
        Kind(Gen.Select(_jobId, _generation, (job, generation) => new ReleaseGeneration(job, generation))),
        Kind(Gen.Select(_generation, _name, Gen.Null(_statistics), (generation, node, statistics) =>
            new GenerationReleased(generation, node, statistics))),
        Kind(Gen.Select(_generation, _name, _name, _reason, (generation, node, peer, reason) =>
            new LinkBroken(generation, node, peer, reason))),
    ];

    private static Gen<PrepareGeneration> Orders(Gen<Member> member) =>
        from plan in _plan
        from id in Gen.Select(_jobId, _generation)
        from data in Gen.Select(Gen.Char["0123456789abcdef"].Array[64], Gen.Int[1, int.MaxValue])
        from members in Gen.Select(member.Array[0, 5], member)
        from start in Gen.Select(_step, Gen.Enum<StateOrigin>())
        from root in Gen.OneOf(Gen.Const(""), _name)
        select new PrepareGeneration(
            id.Item1, id.Item2, plan.Job, new string(data.Item1), data.Item2, plan.Placement,
            [.. members.Item1], members.Item2, start.Item1, start.Item2)
        {
            DataRoot = root,
        };

    private static IEnumerable<KeyValuePair<Type, Gen<IWireMessage>>> JobMessages() =>
    [
        Kind(Gen.Select(_generation, _step, _step, (generation, step, judged) => new Grant(generation, step, judged))),
        Kind(Gen.Select(_generation, _step, _replica, _number, _count, (generation, step, replica, sum, correct) =>
            new StepsJudged(
                generation,
                replica,
                [.. Enumerable.Range(0, (int)(step % 5)).Select(index => new JudgedStep(step, sum, correct))]))),
        Kind(Gen.Select(_generation, _step, Gen.Int[1, int.MaxValue], (generation, step, number) =>
            new Evaluate(generation, step, number))),
        Kind(Gen.Select(_generation, _step, _replica, _number, _count, (generation, step, replica, sum, correct) =>
            new Evaluated(generation, step, replica + 1, replica, sum, correct))),
        Kind(Gen.Select(_generation, _step, (generation, step) => new CloseRound(generation, step))),
        Kind(Gen.Select(_generation, _place, _replica, (generation, layer, replica) =>
            new RoundClosed(generation, layer, replica))),
        Kind(Gen.Select(_generation, _name, _step, _reason, Gen.Bool, (generation, layer, step, reason, isFinal) =>
            new LayerFailed(generation, layer, step, reason, isFinal))),
        Kind(Gen.Select(_generation, _step, Gen.Bool, Gen.Bool, (generation, step, only, trainsOn) =>
            new CaptureState(generation, step, only, trainsOn))),
        Kind(Gen.Select(_generation, _name, _step, (generation, node, step) => new CaptureNoted(generation, node, step))),
    ];

    private static IEnumerable<KeyValuePair<Type, Gen<IWireMessage>>> PipelineMessages() =>
    [
        Kind(Gen.Select(_generation, _key, _replica, _number, _count, (generation, key, replica, sum, correct) =>
            new Judged(generation, key, replica, sum, correct))),
        Kind(Gen.Select(_generation, _key, _replica, _place, (generation, key, replica, edge) =>
            new TraceNonFinite(generation, key, replica, edge))),
    ];

    private static KeyValuePair<Type, Gen<IWireMessage>> Kind<T>(Gen<T> messages)
        where T : IWireMessage => new(typeof(T), messages.Select(message => (IWireMessage)message));
}
