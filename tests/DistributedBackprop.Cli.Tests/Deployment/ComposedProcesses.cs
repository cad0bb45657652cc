using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>
/// What <c>docker compose up</c> would run, as processes of this machine: the same commands and the same environment, where
/// each service has a loopback address in the place of its name and of <c>0.0.0.0</c>, and folders in the place of its
/// volumes. Ports stay.
/// </summary>
internal sealed class ComposedProcesses : IDisposable
{
    // A node that is started anew joins when the cluster has removed the one that it follows.
    private static readonly TimeSpan _healthyWithin = TimeSpan.FromSeconds(60);

    private readonly CommandFolder _folder = new();
    private readonly IReadOnlyList<ComposeService> _services;
    private readonly Dictionary<string, string> _addresses;
    private readonly Dictionary<string, RestartedProcess> _nodes = [];
    private readonly string? _data;
    private DebianPostgreSql? _database;

    private ComposedProcesses(IReadOnlyList<ComposeService> services, string? data)
    {
        _services = services;
        _data = data;
        // Addresses that no other run has.
        var (a, b) = (RandomNumberGenerator.GetInt32(1, 255), RandomNumberGenerator.GetInt32(0, 256));
        _addresses = _services.Select((service, i) => (service.Name, i)).ToDictionary(
            pair => pair.Name, pair => string.Create(CultureInfo.InvariantCulture, $"127.{a}.{b}.{10 + pair.i}"));
    }

    /// <summary>Starts all services, each when those it depends on are as it wants them, and waits until all are well.</summary>
    /// <param name="services">Each after those it depends on.</param>
    /// <param name="data">The folder of the data, as <c>BACKPROP_DATA</c> names it; null: the default.</param>
    public static async Task<ComposedProcesses> UpAsync(IReadOnlyList<ComposeService> services, string? data = null)
    {
        var processes = new ComposedProcesses(services, data);
        try
        {
            foreach (var service in processes._services)
            {
                await processes.StartAsync(service);
            }

            foreach (var name in processes._nodes.Keys)
            {
                await processes.UntilHealthyAsync(name);
            }

            return processes;
        }
        catch
        {
            processes.Dispose();
            throw;
        }
    }

    /// <summary>The names of the services that are nodes.</summary>
    public IEnumerable<string> Nodes => _nodes.Keys;

    /// <summary>The server of the service that is a database.</summary>
    public DebianPostgreSql Database => _database!;

    /// <summary>Sends a signal to a node: KILL, STOP, CONT.</summary>
    public void Signal(string service, string signal) => _nodes[service].Signal(signal);

    /// <summary>Where a service is, as the others reach it.</summary>
    public string AddressOf(string service) => _addresses[service];

    /// <summary>The file in the place of a path of a service.</summary>
    public string FileOf(string service, string path) => Translated(Service(service), path);

    /// <summary><c>docker compose exec SERVICE backprop …</c>.</summary>
    public Task<Finished> ExecAsync(string service, params IEnumerable<string> command) => BackpropProcess.RunAsync(
        _folder.Path, EnvironmentOf(Service(service)), Arguments(Service(service), command));

    /// <summary>The same, and does not wait for its end.</summary>
    public BackpropProcess StartExec(string service, params IEnumerable<string> command) => BackpropProcess.Start(
        _folder.Path, EnvironmentOf(Service(service)), Arguments(Service(service), command));

    /// <summary>Writes a job that is an example with parts of its text replaced.</summary>
    public string Job(string example, params IEnumerable<(string Old, string New)> changes) => _folder.Job(example, changes);

    /// <summary>How often nodes ended, and were started anew, though nobody had killed them.</summary>
    public int UnaskedEnds => _nodes.Values.Sum(node => node.UnaskedEnds);

    /// <summary>How often one of the nodes failed in a way that it did not know.</summary>
    public int Crashes => _nodes.Values.Sum(node => node.Crashes);

    /// <summary>What the nodes said that have ended, and how they ended.</summary>
    public string Ends => string.Concat(_nodes.Select(node => $"{node.Key}: {node.Value.Ends}\n"));

    /// <summary>Kills a node, which is started anew, as <c>restart</c> says, and waits until it is well again.</summary>
    public async Task RestartAsync(string service)
    {
        _nodes[service].Signal("KILL");
        await UntilHealthyAsync(service);
    }

    /// <summary>Has the nodes leave, the last one started first, and tells how each ended.</summary>
    public async Task<IReadOnlyList<Finished>> DownAsync()
    {
        var ended = new List<Finished>();
        foreach (var node in _nodes.Values.Reverse())
        {
            ended.Add(await node.StopAsync());
        }

        return ended;
    }

    public void Dispose()
    {
        foreach (var node in _nodes.Values)
        {
            node.Dispose();
        }

        _database?.Dispose();
        _folder.Dispose();
    }

    private ComposeService Service(string name) => _services.Single(service => service.Name == name);

    private async Task StartAsync(ComposeService service)
    {
        if (service.Image.StartsWith("postgres:", StringComparison.Ordinal))
        {
            _database = DebianPostgreSql.Start(_addresses[service.Name], service.Environment);
            await CheckDatabaseAsync(service);
        }
        else if (_services.Any(other => other.DependsOn.GetValueOrDefault(service.Name) == "service_completed_successfully"))
        {
            var once = await ExecAsync(service.Name, service.Command);
            once.ExitCode.ShouldBe(0, once.Errors);
        }
        else
        {
            _nodes[service.Name] = new RestartedProcess(() =>
                BackpropProcess.Start(_folder.Path, EnvironmentOf(service), Arguments(service, service.Command)));
        }
    }

    private async Task CheckDatabaseAsync(ComposeService service)
    {
        var check = service.HealthCheck!;
        using var process = BackpropProcess.StartOther(
            _folder.Path, null, [Path.Combine(DebianPostgreSql.Programs!, check[0]), "--host", _addresses[service.Name], .. check.Skip(1)]);
        var ended = await process.EndAsync();
        ended.ExitCode.ShouldBe(0, ended.Output + ended.Errors);
    }

    /// <summary>Waits until a node is well. A container asks itself at 127.0.0.1: here that is the service's own address.</summary>
    public async Task UntilHealthyAsync(string service)
    {
        var url = $"http://{_addresses[service]}:{Service(service).Environment["BACKPROP__HEALTHPORT"]}/health/ready";
        var clock = Stopwatch.StartNew();
        Finished asked;
        do
        {
            asked = await ExecAsync(service, [.. DockerFile.HealthCheck, "--url", url]);
        }
        while (asked.ExitCode != 0 && clock.Elapsed < _healthyWithin);

        asked.ExitCode.ShouldBe(0, $"{service}: {asked.Output} {asked.Errors}\n{Ends}");
    }

    private Dictionary<string, string> EnvironmentOf(ComposeService service) =>
        service.Environment.ToDictionary(pair => pair.Key, pair => Translated(service, pair.Value));

    // Of all arguments only that of --roles is a word that could be a service's name and is none.
    private IEnumerable<string> Arguments(ComposeService service, IEnumerable<string> command)
    {
        var before = "";
        foreach (var argument in command)
        {
            yield return before == "--roles" ? argument : Translated(service, argument);
            before = argument;
        }
    }

    private string Translated(ComposeService service, string text)
    {
        text = text.Replace("0.0.0.0", _addresses[service.Name], StringComparison.Ordinal);
        foreach (var (name, address) in _addresses)
        {
            text = Regex.Replace(text, $@"(?<![\w-])(?<!Database=|Username=|Password=){Regex.Escape(name)}(?![\w-])", address);
        }

        foreach (var (source, target) in service.Volumes.Where(volume => text == volume.Target || text.StartsWith($"{volume.Target}/", StringComparison.Ordinal)))
        {
            return PathOf(source) + text[target.Length..];
        }

        return text;
    }

    private string PathOf(string source) => source.Contains('/', StringComparison.Ordinal)
        ? _data ?? RepositoryRoot.File(source)
        : Directory.CreateDirectory(_folder.At(source)).FullName;
}
