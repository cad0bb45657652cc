using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>Which nodes a job may use, as far as the directory and the nodes themselves have told, and what follows.</summary>
/// <param name="run">The job.</param>
internal sealed class NodeChoice(JobRun run)
{
    private readonly SortedDictionary<string, (IActorRef Agent, string Reason)> _excluded = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, IActorRef> _silent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IActorRef> _ready = new(StringComparer.Ordinal);
    private readonly ImmutableArray<long> _work = WorkOf(run);
    private ImmutableArray<NodeInfo> _known = [];
    private (Placement Current, bool Wants)? _moveAsked;

    /// <summary>Whether there are nodes, and every one of them has refused.</summary>
    public bool IsEveryOneExcluded => _known.Length > 0 && _known.All(node => _excluded.ContainsKey(node.Name));

    /// <summary>Why no node can be used, for people.</summary>
    public string WhyNone => _excluded.Count + _silent.Count == 0
        ? "there are no nodes"
        : string.Join("; ", _excluded.Select(excluded => $"{excluded.Key} is refused: {excluded.Value.Reason}")
            .Concat(_silent.Keys.Select(silent => $"{silent} does not answer")));

    /// <summary>The agents of nodes that did not answer when a generation ended: they are given no work before they do.</summary>
    public IEnumerable<IActorRef> Silent => _silent.Values;

    /// <summary>The nodes are these now.</summary>
    public void OnChanged(NodesChanged changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        _known = changed.Nodes;
        _moveAsked = null;

        // Whoever was started again is another one.
        foreach (var (name, _) in _silent.Where(node => IsGone(node.Key, node.Value)).ToList())
        {
            _silent.Remove(name);
        }

        foreach (var (name, _) in _ready.Where(node => IsGone(node.Key, node.Value)).ToList())
        {
            _ready.Remove(name);
        }

        // What it was refused for may have been mended meanwhile.
        foreach (var (name, _) in _excluded.Where(node => IsGone(node.Key, node.Value.Agent)).ToList())
        {
            _excluded.Remove(name);
        }
    }

    /// <summary>A node as it is known; null where it is not.</summary>
    public NodeInfo? Find(string name) => _known.FirstOrDefault(node => node.Name == name);

    /// <summary>A node has not said that it released a generation: it may be frozen, or dead and not yet known to be.</summary>
    public void OnSilent(string name)
    {
        if (Find(name) is { } node)
        {
            _silent[name] = node.Agent;
            _moveAsked = null;
        }
    }

    /// <summary>A node that was silent answers. Returns whether it was.</summary>
    public bool OnHeard(string name)
    {
        var wasSilent = _silent.Remove(name);
        if (wasSilent)
        {
            _moveAsked = null;
        }

        return wasSilent;
    }

    /// <summary>A node has what it needs for the job. Returns whether that is new.</summary>
    public bool OnReady(string name)
    {
        var isNew = Find(name) is { } node && _ready.TryAdd(name, node.Agent);
        if (isNew)
        {
            _moveAsked = null;
        }

        return isNew;
    }

    /// <summary>A node cannot take part in the job, until it is started again. One that is gone by now needs no excluding.</summary>
    public void Exclude(string name, string reason)
    {
        if (Find(name) is { } node)
        {
            _excluded[name] = (node.Agent, reason);
            _moveAsked = null;
        }
    }

    /// <summary>
    /// Where the job is to run now; null where there is no node for it. Where there are nodes that have what they need for
    /// it, it does not wait for the others.
    /// </summary>
    /// <param name="current">Where it runs, or ran last; null at first.</param>
    public Placement? Place(Placement? current) => PlaceOn([.. Usable.Where(node => _ready.ContainsKey(node.Name))], current) ?? PlaceOn([.. Usable], current);

    /// <summary>The nodes that are to have a part in the job as soon as they have what they need for it, and where it is to run then.</summary>
    /// <param name="current">Where it runs.</param>
    public (Placement Next, ImmutableArray<NodeInfo> Nodes)? Announced(Placement current)
    {
        if (Usable.All(node => _ready.ContainsKey(node.Name)))
        {
            return null;
        }

        var next = PlaceOn([.. Usable], current)!;
        return (next, [.. Usable.Where(node => !_ready.ContainsKey(node.Name) && next.Nodes.Contains(node.Name))]);
    }

    /// <summary>Whether the job should run elsewhere than it does.</summary>
    public bool WantsToMove(Placement current)
    {
        // Asked at every step, answered once for every change.
        if (_moveAsked is not { } asked || !ReferenceEquals(asked.Current, current))
        {
            _moveAsked = asked = (current, Place(current) is { } placement && !placement.Equals(current));
        }

        return asked.Wants;
    }

    /// <summary>Why the job moves, for people.</summary>
    public static string ReasonToMove(Placement from, Placement to)
    {
        var gone = from.Nodes.Except(to.Nodes).ToList();
        var come = to.Nodes.Except(from.Nodes).ToList();
        return string.Join("; ", new[]
        {
            gone.Count == 0 ? "" : $"{string.Join(", ", gone)} leaves",
            come.Count == 0 ? "" : $"{string.Join(", ", come)} joins",
            gone.Count + come.Count > 0 ? "" : "the nodes have changed",
        }.Where(part => part.Length > 0));
    }

    /// <summary>The order to the nodes of a placement; who keeps the state is yet to be filled in.</summary>
    /// <param name="generation">Which placement it is.</param>
    /// <param name="placement">Where stages run.</param>
    /// <param name="afterStep">The last step trained before.</param>
    /// <param name="origin">What the layers begin with.</param>
    public PrepareGeneration Order(long generation, Placement placement, long afterStep, StateOrigin origin) => new(
        run.Id,
        generation,
        run.Job,
        run.Data.Fingerprint,
        run.Data.Train.Count,
        placement,
        [
            .. from name in placement.Nodes
               from node in _known
               where node.Name == name
               select new Member(name, node.Description.Tensors, node.Agent),
        ],
        new Member(JobKeeper.Name, null, ActorRefs.Nobody),
        afterStep,
        origin)
    {
        DataRoot = run.DataRoot,
    };

    private IEnumerable<NodeInfo> Usable => _known
        .Where(node => node.Presence == NodePresence.Up)
        .Where(node => !_excluded.ContainsKey(node.Name) && !_silent.ContainsKey(node.Name));

    private bool IsGone(string name, IActorRef agent) => Find(name) is not { } known || !known.Agent.Equals(agent);

    private Placement? PlaceOn(ImmutableArray<NodeInfo> nodes, Placement? current) => nodes.IsEmpty
        ? null
        : Placement.Of(
            _work,
            run.Job.Parallelism.Replicas,
            [.. nodes.Select(node => new PlacementNode(node.Name, node.Description.Threads))],
            current);

    private static ImmutableArray<long> WorkOf(JobRun run)
    {
        var work = run.Graph.Nodes.Select(node => node.Layer.WorkPerExample).ToList();
        var stages = StageCut.Of([.. work], run.Job.Parallelism.Stages);
        return
        [
            .. Enumerable.Range(0, run.Job.Parallelism.Stages)
                .Select(stage => work.Where((_, layer) => stages[layer] == stage).Sum()),
        ];
    }
}
