using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Event;
using Akka.Serialization;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// Akka's local provider, but that paths of other hosts lead there: what Akka.Remote's provider is in production.
/// </summary>
internal sealed class ClusterActorRefProvider : IActorRefProvider
{
    private readonly LocalActorRefProvider _local;
    private readonly Dictionary<string, IActorRef> _known = new(StringComparer.Ordinal);
    private readonly SimulatedNode _node = SimulatedNode.InCreation;

    /// <summary>Called by Akka.</summary>
    public ClusterActorRefProvider(string systemName, Settings settings, EventStream eventStream) =>
        _local = new LocalActorRefProvider(systemName, settings, eventStream);

    public IInternalActorRef RootGuardian => _local.RootGuardian;

    public LocalActorRef Guardian => _local.Guardian;

    public LocalActorRef SystemGuardian => _local.SystemGuardian;

    public IActorRef DeadLetters => _local.DeadLetters;

    public IActorRef IgnoreRef => _local.IgnoreRef;

    public ActorPath RootPath => _local.RootPath;

    public Settings Settings => _local.Settings;

    public Deployer Deployer => _local.Deployer;

    public IInternalActorRef TempContainer => _local.TempContainer;

    public Task TerminationTask => _local.TerminationTask;

    public Address DefaultAddress => _local.DefaultAddress;

    public Information SerializationInformation => _local.SerializationInformation;

    public IActorRef RootGuardianAt(Address address) => _local.RootGuardianAt(address);

    public void Init(ActorSystemImpl system) => _local.Init(system);

    public ActorPath TempPath() => _local.TempPath();

    public void RegisterTempActor(IInternalActorRef actorRef, ActorPath path) => _local.RegisterTempActor(actorRef, path);

    public void UnregisterTempActor(ActorPath path) => _local.UnregisterTempActor(path);

    public FutureActorRef<T> CreateFutureRef<T>(TaskCompletionSource<T> tcs) => _local.CreateFutureRef(tcs);

    public IInternalActorRef ActorOf(
        ActorSystemImpl system,
        Props props,
        IInternalActorRef supervisor,
        ActorPath path,
        bool systemService,
        Deploy deploy,
        bool lookupDeploy,
        bool async) => _local.ActorOf(system, props, supervisor, path, systemService, deploy, lookupDeploy, async);

    public IActorRef ResolveActorRef(string path) => _known.TryGetValue(path, out var known)
        ? known
        : ActorPath.TryParse(path, out var parsed) ? Resolve(parsed, path) : DeadLetters;

    public IActorRef ResolveActorRef(ActorPath actorPath)
    {
        ArgumentNullException.ThrowIfNull(actorPath);
        return Resolve(actorPath, actorPath.ToSerializationFormat());
    }

    public Address GetExternalAddressFor(Address address) => _local.GetExternalAddressFor(address);

    private IActorRef Resolve(ActorPath path, string text)
    {
        if (path.Address.Equals(RootPath.Address))
        {
            // Whoever was started anew under the same path is another one.
            var actor = _local.ResolveActorRef(path);
            return path.Uid == ActorCell.UndefinedUid || path.Uid == actor.Path.Uid ? actor : DeadLetters;
        }

        if (!_known.TryGetValue(text, out var known))
        {
            _known.Add(text, known = new OtherHostRef(_node, this, path, text));
        }

        return known;
    }
}
