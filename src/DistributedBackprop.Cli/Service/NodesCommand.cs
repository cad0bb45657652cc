using System.CommandLine;
using DistributedBackprop.Protocol;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop nodes</c>: the members of a cluster.</summary>
internal static class NodesCommand
{
    public static Command Create() => ServiceCommand.With(
        new Command("nodes", "List the nodes of a cluster."),
        async (parsed, connection, output, cancellation) =>
        {
            var response = await connection.Training.NodesAsync(new NodesRequest(), connection.Options(ServiceCommand.Soon, cancellation));
            foreach (var node in response.Nodes)
            {
                output.Print(
                    json =>
                    {
                        json.WriteString("node", node.Name);
                        json.WriteString("address", node.Address);
                        json.WriteStartArray("roles");
                        foreach (var role in node.Roles)
                        {
                            json.WriteStringValue(role);
                        }

                        json.WriteEndArray();
                        json.WriteNumber("threads", node.Threads);
                        json.WriteString("state", node.State);
                        json.WriteBoolean("coordinates", node.Coordinates);
                        json.WriteNumber("processId", node.ProcessId);
                        json.WriteStartArray("jobs");
                        foreach (var job in node.Jobs)
                        {
                            json.WriteStringValue(job);
                        }

                        json.WriteEndArray();
                    },
                    $"{node.Name,-24} {node.State,-12} {string.Join(',', node.Roles)}{(node.Coordinates ? "*" : ""),-2} {node.Threads,3} threads {node.Address,-22} {string.Join(' ', node.Jobs)}");
            }

            return ExitCode.Done;
        });
}
