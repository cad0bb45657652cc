using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Wire;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// The settings of Akka.Cluster and Akka.Remote. Those that all nodes must share have a <see cref="Digest"/>, by which the
/// node directory tells strangers.
/// </summary>
internal static class ClusterSettings
{
    /// <summary>
    /// Equal on all nodes. Training takes every core there is, so the failure detector is patient: a node that is plainly
    /// dead is found by its broken connection. Each of three processes could be lost one after the other, so an
    /// unstable cluster is no reason to down everybody. Intervals are for loopback and one rack, tens of nodes: short,
    /// so that a node is up at once.
    /// <para>
    /// Each node writes on connections that it has opened itself. Where it may also write on one that it was called on, and a
    /// node that was started anew and its peer call each other at the same moment, each can come to write where the other has
    /// stopped reading: silently, until both are found unreachable and one of them is put down
    /// (github.com/akka/akka-core/issues/24393).
    /// </para>
    /// </summary>
    private const string Shared = """
        akka {
          actor.provider = "Akka.Cluster.ClusterActorRefProvider, Akka.Cluster"
          remote.dot-netty.tcp.maximum-frame-size = 128000b
          remote.dot-netty.tcp.tcp-reuse-addr = off
          remote.dot-netty.tcp.batching.enabled = off
          remote.log-frame-size-exceeding = 64000b
          remote.retry-gate-closed-for = 1s
          remote.use-passive-connections = off
          cluster {
            downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
            down-removal-margin = 1s
            split-brain-resolver {
              active-strategy = keep-majority
              stable-after = 7s
              down-all-when-unstable = off
            }
            failure-detector {
              threshold = 12
              acceptable-heartbeat-pause = 9s
            }
            gossip-interval = 200ms
            leader-actions-interval = 200ms
            periodic-tasks-initial-delay = 100ms
            seed-node-timeout = 2s
            retry-unsuccessful-join-after = 1s
            allow-weakly-up-members = off
          }
        }

        """;

    /// <summary>
    /// Each node's own. Heartbeats and remoting have threads of their own, which no computation and no ThreadPool can
    /// starve. What is in no table of the wire serializer is not sent, and what names its own type is not taken.
    /// </summary>
    private static readonly string _own = """
        akka {
          stdout-loglevel = off
          stdout-logger-class = "DistributedBackprop.Server.Cluster.SilentLogger, DistributedBackprop.Server"
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          scheduler.tick-duration = 40ms
          remote.log-remote-lifecycle-events = off
          actor.internal-dispatcher = @THREADS
          remote.default-remote-dispatcher = @THREADS
          coordinated-shutdown {
            run-by-clr-shutdown-hook = off
            exit-clr = off
          }
        }

        """.Replace("@THREADS", OwnThreadsConfigurator.Hocon(2), StringComparison.Ordinal);

    /// <summary>A digest of what all nodes must share.</summary>
    /// <param name="tls">Whether tensors go over TLS.</param>
    public static string Digest(bool tls) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{Shared}\ntls={tls}")).AsSpan(0, 8));

    /// <summary>Leaving the cluster takes the consent of its members, which nobody may be left to give.</summary>
    private const string Last = """
        akka.coordinated-shutdown.phases {
          cluster-leave.timeout = 100ms
          cluster-exiting.timeout = 100ms
          cluster-exiting-done.timeout = 100ms
        }

        """;

    /// <summary>The configuration of a node.</summary>
    public static string Hocon(NodeOptions options) => string.Concat(
        Shared, _own, options.IsLast ? Last : "", WireSerializer.Hocon + OwnOf(options));

    private static string OwnOf(NodeOptions options) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        akka.remote.dot-netty.tcp {
          hostname = "{{options.Host}}"
          public-hostname = "{{options.PublicHost}}"
          port = {{options.Port}}
        }
        akka.cluster.roles = [{{string.Join(", ", options.Roles)}}]

        """);
}
