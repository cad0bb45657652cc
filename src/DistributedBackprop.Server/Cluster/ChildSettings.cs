using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// The settings of a child process as one line of JSON, for its standard input: unlike a command line or an environment,
/// a pipe shows the secret to nobody else.
/// </summary>
public static class ChildSettings
{
    /// <summary>The line for a child, without its end.</summary>
    /// <param name="options">The child's settings; TLS must have come from files.</param>
    public static string Write(NodeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var line = new JsonObject
        {
            ["Name"] = options.Name,
            ["Roles"] = string.Join(',', options.Roles),
            ["Host"] = options.Host.ToString(),
            ["PublicHost"] = options.PublicHost,
            ["Port"] = Text(options.Port),
            ["TensorPort"] = Text(options.TensorPort),
            ["Seeds"] = string.Join(',', options.Seeds.Select(seed => $"{seed.Host}:{Text(seed.Port)}")),
            ["DataRoot"] = options.DataRoot,
            ["Threads"] = Text(options.Threads),
            ["Secret"] = options.Secret.Reveal(),
            ["Insecure"] = options.IsInsecure ? "true" : "false",
            ["JoinDeadlineSeconds"] = Text((int)options.JoinDeadline.TotalSeconds),
            ["LeaveDeadlineSeconds"] = Text((int)options.LeaveDeadline.TotalSeconds),
        };
        if (options.TlsFiles is { } tls)
        {
            line["Tls"] = new JsonObject
            {
                ["Certificate"] = Path.GetFullPath(tls.Certificate),
                ["Key"] = Path.GetFullPath(tls.Key ?? tls.Certificate),
                ["Authority"] = Path.GetFullPath(tls.Authority),
            };
        }

        return line.ToJsonString();
    }

    /// <summary>Reads such a line, and nothing else: a child is what its parent says.</summary>
    /// <exception cref="NodeOptionsException">It is no such line, or its settings are not as they must be.</exception>
    public static NodeOptions Read(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        try
        {
            using var json = new MemoryStream(Encoding.UTF8.GetBytes($"{{\"{NodeOptionsReader.Section}\":{line}}}"));
            return NodeOptionsReader.Read(new ConfigurationBuilder().AddJsonStream(json).Build());
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidDataException)
        {
            // The message of the reader could show a part of the line, and with it the secret.
            throw new NodeOptionsException(["standard input must begin with one line of JSON: the settings of the node"]);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
