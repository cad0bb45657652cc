using Akka.Actor;
using Akka.Serialization;
using DistributedBackprop.Actors.Wire;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// Carries control messages between hosts: through the real serializer, and as the weather has it, late, lost, twice, or one
/// before the other.
/// </summary>
internal sealed class ControlNetwork(SimulationLoop loop, Weather weather, Func<string, SimulatedNode?> hostOf)
{
    private readonly KeyedGenerator _draws = loop.Generator("network/control");
    private readonly Dictionary<(string From, string To), TimeSpan> _newest = [];
    private readonly Dictionary<(string From, string To), long> _arrived = [];
    private readonly List<string> _refused = [];

    /// <summary>How many messages were handed over.</summary>
    public long Messages { get; private set; }

    /// <summary>How many came after one that was sent later on the same way.</summary>
    public long Overtaken { get; private set; }

    /// <summary>What does not belong on a network, and was not carried.</summary>
    public IReadOnlyList<string> Refused => _refused;

    /// <summary>Takes a message to another host, or loses it.</summary>
    public void Send(SimulatedNode from, OtherHostRef to, object message, IActorRef sender)
    {
        var target = to.Path.Address.System;
        if (message is not IWireMessage)
        {
            Refuse($"{from.Label} sends {message.GetType()} to {to.Text}: it is not made to cross hosts");
            return;
        }

        if (weather.Loses(from.Name, target))
        {
            return;
        }

        var serializer = (WireSerializer)from.System.Serialization.FindSerializerFor(message);
        var parcel = new Parcel(
            to.Text,
            sender is null || sender.IsNobody() ? null : Serialization.SerializedActorPath(sender),
            serializer.Manifest(message),
            serializer.ToBinary(message));
        if (weather.Happens(MessageFault.Lost, _draws))
        {
            return;
        }

        Carry(from.Name, target, parcel);
        if (weather.Happens(MessageFault.Doubled, _draws))
        {
            Carry(from.Name, target, parcel);
        }
    }

    /// <summary>Notes what production could not do either.</summary>
    public void Refuse(string what) => _refused.Add(what);

    private void Carry(string from, string to, Parcel parcel)
    {
        var way = (from, to);
        var arrival = loop.Now + weather.Latency(_draws);
        var isLate = weather.Happens(MessageFault.Late, _draws);
        if (isLate)
        {
            arrival += weather.Lateness(_draws);
        }

        if (weather.Happens(MessageFault.OutOfOrder, _draws))
        {
            arrival += weather.Latency(_draws) * 4;
        }
        else if (!isLate)
        {
            // One after the other, but for those that are held up: the others do not wait for them.
            arrival = _newest.TryGetValue(way, out var newest) && arrival <= newest ? newest + TimeSpan.FromTicks(1) : arrival;
            _newest[way] = arrival;
        }

        Messages++;
        var number = Messages;
        loop.After(arrival - loop.Now, () =>
        {
            Overtaken += number < _arrived.GetValueOrDefault(way) ? 1 : 0;
            _arrived[way] = Math.Max(number, _arrived.GetValueOrDefault(way));
            Arrive(to, parcel);
        });
    }

    // Whoever has the address then takes it: a host that was started again may get what was meant for its former life.
    private void Arrive(string to, Parcel parcel)
    {
        if (hostOf(to) is { IsAlive: true } host)
        {
            host.After(TimeSpan.Zero, () =>
            {
                var system = (ExtendedActorSystem)host.System;
                var message = system.Serialization.Deserialize(parcel.Bytes, WireSerializer.WireIdentifier, parcel.Manifest);
                var sender = parcel.Sender is null ? ActorRefs.NoSender : system.Provider.ResolveActorRef(parcel.Sender);
                system.Provider.ResolveActorRef(parcel.Receiver).Tell(message, sender);
            });
        }
    }

    private sealed record Parcel(string Receiver, string? Sender, string Manifest, byte[] Bytes);
}
