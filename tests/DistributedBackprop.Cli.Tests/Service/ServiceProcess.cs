using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Service;

/// <summary><c>backprop node</c> as coordinator and worker in a process of its own, and commands that find it and its token.</summary>
internal sealed class ServiceProcess : IDisposable
{
    private readonly BackpropProcess _node;
    private readonly Dictionary<string, string> _environment;
    private readonly bool _ownsFolder;

    private ServiceProcess(
        BackpropProcess node, CommandFolder folder, bool ownsFolder, Dictionary<string, string> environment, string address)
    {
        _node = node;
        _ownsFolder = ownsFolder;
        Folder = folder;
        _environment = environment;
        Address = address;
    }

    /// <summary>Where commands run.</summary>
    public CommandFolder Folder { get; }

    /// <summary>Where it serves.</summary>
    public string Address { get; }

    /// <summary>The file of its token.</summary>
    public string TokenFile => Folder.At("config/backprop/token");

    public static Task<ServiceProcess> StartAsync(params string[] flags) => StartAsync(new CommandFolder(), ownsFolder: true, flags);

    /// <summary>Starts it in a folder in which another one may have been.</summary>
    public static Task<ServiceProcess> StartAsync(CommandFolder folder, params string[] flags) => StartAsync(folder, ownsFolder: false, flags);

    private static async Task<ServiceProcess> StartAsync(CommandFolder folder, bool ownsFolder, string[] flags)
    {
        var environment = new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = folder.At("config") };
        var node = BackpropProcess.Start(
            folder.Path,
            environment,
            ["node", "--roles", "coordinator,worker", "--name", "one", "--threads", "1", "--service-port", "0", .. flags]);
        var line = await node.ReadUntilAsync(line => line.EndsWith(" is up", StringComparison.Ordinal));
        var address = line.Split("service at ")[1].Split(' ')[0];
        environment["BACKPROP__ADDRESS"] = address;
        return new ServiceProcess(node, folder, ownsFolder, environment, address);
    }

    /// <summary>Runs a command to its end.</summary>
    public Task<Finished> RunAsync(params IEnumerable<string> arguments) => BackpropProcess.RunAsync(Folder.Path, _environment, arguments);

    /// <summary>Starts a command.</summary>
    public BackpropProcess Start(params IEnumerable<string> arguments) => BackpropProcess.Start(Folder.Path, _environment, arguments);

    /// <summary>Starts another program, which finds the service as commands do.</summary>
    public BackpropProcess StartOther(params IReadOnlyList<string> command) => BackpropProcess.StartOther(Folder.Path, _environment, command);

    /// <summary>Has it leave, and tells how it ended.</summary>
    public async Task<Finished> EndAsync()
    {
        _node.Signal("TERM");
        return await _node.EndAsync();
    }

    /// <summary>Kills it.</summary>
    public async Task KillAsync()
    {
        _node.Signal("KILL");
        await _node.EndAsync();
    }

    public void Dispose()
    {
        _node.Dispose();
        if (_ownsFolder)
        {
            Folder.Dispose();
        }
    }
}
