using System.Diagnostics;
using System.Globalization;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>
/// Debian's PostgreSQL in the place of the image of that name: the same variables of its environment, on an address of
/// its own.
/// </summary>
internal sealed class DebianPostgreSql : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly string _folder = Directory.CreateTempSubdirectory("composed-postgres-").FullName;

    private readonly string _address;

    private DebianPostgreSql(string address) => _address = address;

    /// <summary>The folder of its programs; null where it is not installed.</summary>
    public static string? Programs { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Order().Select(version => Path.Combine(version, "bin"))
            .LastOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
        : null;

    /// <param name="address">Where it listens.</param>
    /// <param name="environment">As the image knows it: <c>POSTGRES_USER</c>, <c>POSTGRES_PASSWORD</c>, <c>POSTGRES_DB</c>.</param>
    public static DebianPostgreSql Start(string address, IReadOnlyDictionary<string, string> environment)
    {
        var server = new DebianPostgreSql(address);
        var user = environment["POSTGRES_USER"];
        var password = Path.Combine(server._folder, "password");
        File.WriteAllText(password, environment["POSTGRES_PASSWORD"]);
        if (System.Environment.IsPrivilegedProcess)
        {
            // The server does not run as root.
            Execute("chown", ["-R", "postgres", server._folder]);
        }

        Run("initdb", "-D", server.Data, "-A", "scram-sha-256", "--pwfile", password, "-U", user, "--no-sync", "--no-locale", "-E", "UTF8");
        server.Run();
        Execute(
            Path.Combine(Programs!, "psql"),
            ["-h", address, "-U", user, "-d", "postgres", "-c", $"CREATE DATABASE {environment["POSTGRES_DB"]}"],
            ("PGPASSWORD", environment["POSTGRES_PASSWORD"]));
        return server;
    }

    /// <summary>Kills all its processes at once, as a machine that loses its power does, and starts it again.</summary>
    public void Restart()
    {
        var processes = Signal("KILL");
        SpinWait.SpinUntil(() => !processes.Any(OtherProcess.IsAlive), _patience).ShouldBeTrue("PostgreSQL is hard to kill");

        // Where nobody waits for dead processes their numbers stay taken, and the server takes itself for running.
        File.Delete(Path.Combine(Data, "postmaster.pid"));
        File.Delete(Path.Combine(_folder, ".s.PGSQL.5432.lock"));
        Run();
    }

    /// <summary>Sends a signal to all its processes: KILL, STOP, CONT.</summary>
    /// <returns>Their ids.</returns>
    public IReadOnlyList<int> Signal(string signal)
    {
        var first = int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        int[] processes = [first, .. OtherProcess.ChildrenOf(first)];
        foreach (var id in processes)
        {
            OtherProcess.Signal(signal, id);
        }

        return processes;
    }

    private string Data => Path.Combine(_folder, "data");

    public void Dispose()
    {
        try
        {
            Run("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
        }
        catch (ShouldAssertException)
        {
            // It has ended before; why a test failed is told by the test.
        }

        Directory.Delete(_folder, recursive: true);
    }

    private void Run() => Run(
        "pg_ctl", "-D", Data, "-l", Path.Combine(_folder, "log"), "-o", $"-k {_folder} -c listen_addresses={_address}", "-w", "start");

    private static void Run(string program, params string[] arguments)
    {
        var path = Path.Combine(Programs!, program);
        if (System.Environment.IsPrivilegedProcess)
        {
            Execute("runuser", ["-u", "postgres", "--", path, .. arguments]);
        }
        else
        {
            Execute(path, arguments);
        }
    }

    private static void Execute(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        // What the server inherits must not be a pipe of ours: it would never end.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" > /dev/null 2>&1", "sh", program, .. arguments]) { WorkingDirectory = "/tmp" };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}");
    }
}
