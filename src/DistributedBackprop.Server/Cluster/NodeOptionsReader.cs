using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Grpc;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Telemetry;
using Microsoft.Extensions.Configuration;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// Reads <see cref="NodeOptions"/> from the section <c>Backprop</c> of a configuration. Lists are arrays or one text with
/// commas. All that is wrong is told at once.
/// </summary>
public sealed class NodeOptionsReader
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "Backprop";

    private const int MaxThreads = 1024;
    private const int MaxNameBytes = 64;
    private const int MaxDeadlineSeconds = 3600;

    private readonly IConfiguration _configuration;
    private readonly IConfigurationSection _section;
    private readonly List<string> _errors = [];

    private NodeOptionsReader(IConfiguration configuration)
    {
        _configuration = configuration;
        _section = configuration.GetSection(Section);
    }

    /// <summary>
    /// The configuration of a node: <c>appsettings.json</c> of a folder where it is there, over it the environment
    /// (<c>BACKPROP__NAME</c> …), over it the command line.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="flags">What the command line says, by the names of the settings.</param>
    public static IConfiguration Configuration(string folder, IEnumerable<KeyValuePair<string, string?>> flags) =>
        new ConfigurationBuilder()
            .SetBasePath(Path.GetFullPath(folder))
            .AddJsonFile("appsettings.json", optional: true, reloadOnChange: false)
            .AddEnvironmentVariables()
            .AddInMemoryCollection(flags.Select(flag => KeyValuePair.Create($"{Section}:{flag.Key}", flag.Value)))
            .Build();

    /// <summary>Reads the settings of a node.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="serves">Whether it serves: a node that stands on its own does, the child of a run does not.</param>
    /// <exception cref="NodeOptionsException">They are not as they must be.</exception>
    public static NodeOptions Read(IConfiguration configuration, bool serves = false)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var reader = new NodeOptionsReader(configuration);
        var options = reader.Read(serves);
        return reader._errors.Count == 0 ? options! : throw new NodeOptionsException(reader._errors);
    }

    /// <summary>
    /// Reads the settings of the process that runs a job on nodes of its own (<c>train --nodes</c>): where it listens, TLS,
    /// the secret, by which nodes of other machines may join, and where telemetry goes. All have defaults: without a secret it
    /// is a random one.
    /// </summary>
    /// <exception cref="NodeOptionsException">They are not as they must be.</exception>
    public static NodeOptions ReadHead(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var reader = new NodeOptionsReader(configuration);
        var head = reader.Head();
        return reader._errors.Count == 0 ? head : throw new NodeOptionsException(reader._errors);
    }

    /// <summary>Reads where a process that runs a job alone (<c>train</c>) sends its telemetry; null: nowhere.</summary>
    /// <exception cref="NodeOptionsException">It is not as it must be.</exception>
    public static TelemetryOptions? ReadTelemetry(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var reader = new NodeOptionsReader(configuration);
        var telemetry = reader.Telemetry();
        return reader._errors.Count == 0 ? telemetry : throw new NodeOptionsException(reader._errors);
    }

    private TelemetryOptions? Telemetry() => TelemetryOptions.Read(_configuration, _section["OtlpEndpoint"], Error);

    private NodeOptions Head()
    {
        var host = Host();
        var tls = Tls();
        CheckHost(host, tls is not null);
        var hasSecret = _section["Secret"] is not null || _section["SecretFile"] is not null;
        return new NodeOptions("coordinator", (hasSecret ? Secret(mayMint: false) : null) ?? NodeSecret.Random())
        {
            Roles = [NodeOptions.Coordinator],
            Host = host,
            PublicHost = PublicHost(host),
            Port = Number("Port", 0, 0, IPEndPoint.MaxPort),
            TensorPort = Number("TensorPort", 0, 0, IPEndPoint.MaxPort),
            Tls = tls?.Loaded,
            TlsFiles = tls?.Files,
            Telemetry = Telemetry(),
            IsLast = true,
        };
    }

    // Who listens beyond this machine proves who it is, unless told otherwise.
    private void CheckHost(IPAddress host, bool hasTls)
    {
        if (!IPAddress.IsLoopback(host) && !hasTls && !Flag("Insecure"))
        {
            Error("Host", $"must be a loopback address unless Tls is set, or Insecure is true (was {host})");
        }
    }

    private NodeOptions? Read(bool serves)
    {
        var host = Host();
        var tls = Tls();
        var roles = Roles();
        var seeds = Seeds();
        var isCoordinator = roles.Contains(NodeOptions.Coordinator);
        var secret = Secret(mayMint: isCoordinator && seeds.IsEmpty && IPAddress.IsLoopback(host));
        var service = new ServiceSettings(_section, Error);
        var options = new NodeOptions(Name(), secret ?? NodeSecret.Random())
        {
            Roles = roles,
            Host = host,
            PublicHost = PublicHost(host),
            Port = Number("Port", 0, 0, IPEndPoint.MaxPort),
            TensorPort = Number("TensorPort", 0, 0, IPEndPoint.MaxPort),
            Seeds = seeds,
            DataRoot = DataRoot(),
            DataRoots = service.DataRoots(),
            Service = serves ? service.Read(host, isCoordinator, tls is not null) : null,
            Storage = serves ? new StorageSettings(_section, Error).Read(isCoordinator) : null,
            Threads = Number("Threads", Math.Min(Environment.ProcessorCount, MaxThreads), 1, MaxThreads),
            Tls = tls?.Loaded,
            TlsFiles = tls?.Files,
            IsInsecure = Flag("Insecure"),
            Telemetry = Telemetry(),
            LogFormat = LogFormatIn(),
            JoinDeadline = TimeSpan.FromSeconds(Number("JoinDeadlineSeconds", 30, 1, MaxDeadlineSeconds)),
            LeaveDeadline = TimeSpan.FromSeconds(Number("LeaveDeadlineSeconds", 60, 1, MaxDeadlineSeconds)),
        };
        if (options.Seeds.IsEmpty && !options.IsCoordinator)
        {
            Error("Seeds", "must name a node of the cluster as host:port, unless the node is a coordinator and the first");
        }

        CheckHost(host, tls is not null);
        return options;
    }

    private string Name()
    {
        var name = _section["Name"] ?? string.Create(
            CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}");
        if (name.Length is 0 or > MaxNameBytes || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            Error("Name", $"must be 1 … {MaxNameBytes} letters, digits, '-', '_' or '.' (was '{name}')");
        }

        return name;
    }

    private ImmutableArray<string> Roles()
    {
        var roles = Texts("Roles");
        if (roles.IsEmpty)
        {
            return [NodeOptions.Worker];
        }

        foreach (var role in roles.Where(role => role is not (NodeOptions.Worker or NodeOptions.Coordinator)))
        {
            Error("Roles", $"must be {NodeOptions.Worker}, {NodeOptions.Coordinator} or both (was '{role}')");
        }

        return [.. roles.Distinct(StringComparer.Ordinal)];
    }

    private IPAddress Host()
    {
        var text = _section["Host"] ?? "127.0.0.1";
        if (text == "localhost")
        {
            return IPAddress.Loopback;
        }

        if (IPAddress.TryParse(text, out var address))
        {
            return address;
        }

        Error("Host", $"must be an IP address of this machine (was '{text}')");
        return IPAddress.Loopback;
    }

    private string PublicHost(IPAddress host)
    {
        var text = _section["PublicHost"];
        if (text is null && (host.Equals(IPAddress.Any) || host.Equals(IPAddress.IPv6Any)))
        {
            Error("PublicHost", $"must be the name or address under which others reach this node, as Host is {host}");
        }
        else if (text is not null && Uri.CheckHostName(text) == UriHostNameType.Unknown)
        {
            Error("PublicHost", $"must be a name or an IP address (was '{text}')");
        }

        return text ?? host.ToString();
    }

    private ImmutableArray<DnsEndPoint> Seeds()
    {
        var seeds = ImmutableArray.CreateBuilder<DnsEndPoint>();
        foreach (var text in Texts("Seeds"))
        {
            var colon = text.LastIndexOf(':');
            var host = colon < 0 ? "" : text[..colon].Trim('[', ']');
            if (Uri.CheckHostName(host) != UriHostNameType.Unknown
                && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                && port is >= 1 and <= IPEndPoint.MaxPort)
            {
                seeds.Add(new DnsEndPoint(host, port));
            }
            else
            {
                Error("Seeds", $"must be addresses host:port, port 1 … {IPEndPoint.MaxPort} (was '{text}')");
            }
        }

        return seeds.ToImmutable();
    }

    private string DataRoot()
    {
        var root = _section["DataRoot"] ?? ".";
        if (!Directory.Exists(root))
        {
            Error("DataRoot", $"must be a folder that is there (was '{root}')");
        }

        return root;
    }

    // The value is never part of a message.
    private NodeSecret? Secret(bool mayMint)
    {
        var text = _section["Secret"];
        var file = _section["SecretFile"];
        if (text is null && file is null && mayMint)
        {
            // The first of a cluster on this machine: those who join name the file.
            return MintedSecret();
        }

        if (text is not null && file is not null)
        {
            Error("Secret", "and SecretFile must not both be given");
        }
        else if (file is not null)
        {
            try
            {
                text = File.ReadAllText(file).TrimEnd('\r', '\n');
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                Error("SecretFile", $"cannot be read: {e.Message}");
                return null;
            }
        }
        else if (text is null)
        {
            Error("Secret", "or SecretFile must be given: what all nodes of the cluster know");
        }

        if (text is null)
        {
            return null;
        }

        var bytes = Encoding.UTF8.GetByteCount(text);
        if (NodeSecret.Fits(bytes))
        {
            return new NodeSecret(text);
        }

        Error(
            file is null ? "Secret" : "SecretFile",
            $"must have {NodeSecret.MinBytes} … {NodeSecret.MaxBytes} bytes (has {bytes})");
        return null;
    }

    private NodeSecret? MintedSecret()
    {
        try
        {
            return new NodeSecret(PrivateFile.ReadOrMint(ServiceSettings.DefaultSecretFile, () => NodeSecret.Random().Reveal()));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Error("SecretFile", $"is not given, and {ServiceSettings.DefaultSecretFile} cannot be used: {e.Message}");
            return null;
        }
    }

    private (TlsFiles Files, PlaneTls Loaded)? Tls()
    {
        var certificate = _section["Tls:Certificate"];
        var key = _section["Tls:Key"];
        var authority = _section["Tls:Authority"];
        if (certificate is null && key is null && authority is null)
        {
            return null;
        }

        if (certificate is null || authority is null)
        {
            Error("Tls", "must name the files Certificate and Authority (PEM), and Key where the first does not hold it");
            return null;
        }

        var files = new TlsFiles(certificate, key, authority);
        try
        {
            return (files, files.Load());
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            Error("Tls", $"has files that cannot be read ('{certificate}', '{key ?? certificate}', '{authority}'): {e.Message}");
            return null;
        }
    }

    private int Number(string name, int otherwise, int least, int most)
    {
        if (_section[name] is not { } text)
        {
            return otherwise;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value >= least && value <= most)
        {
            return value;
        }

        Error(name, $"must be {least} … {most} (was '{text}')");
        return otherwise;
    }

    private bool Flag(string name)
    {
        if (_section[name] is not { } text)
        {
            return false;
        }

        if (bool.TryParse(text, out var value))
        {
            return value;
        }

        Error(name, $"must be true or false (was '{text}')");
        return false;
    }

    private LogFormat LogFormatIn()
    {
        switch (_section["LogFormat"])
        {
            case null or "text":
                return LogFormat.Text;
            case "json":
                return LogFormat.Json;
            default:
                Error("LogFormat", $"must be text or json (was '{_section["LogFormat"]}')");
                return LogFormat.Text;
        }
    }

    private ImmutableArray<string> Texts(string name)
    {
        var section = _section.GetSection(name);
        IEnumerable<string?> texts = section.Value is { } value ? value.Split(',') : section.GetChildren().Select(child => child.Value);
        return [.. texts.Select(text => text?.Trim()).Where(text => !string.IsNullOrEmpty(text))!];
    }

    private void Error(string name, string what) => _errors.Add($"{Section}:{name} {what}");
}
