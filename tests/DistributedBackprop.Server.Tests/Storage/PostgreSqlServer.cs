using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace DistributedBackprop.Server.Tests.Storage;

/// <summary>
/// A PostgreSQL server of its own on a loopback port, on data of its own, for as long as the tests run; not there where
/// PostgreSQL is not installed.
/// </summary>
public sealed class PostgreSqlServer : IDisposable
{
    private const string User = "backprop";

    private readonly string? _programs = Programs();
    private readonly string _folder = Directory.CreateTempSubdirectory("backprop-postgres-").FullName;
    private readonly Lazy<int> _port;
    private int _databases;

    public PostgreSqlServer() => _port = new(Start);

    public bool IsInstalled => _programs is not null;

    /// <summary>Makes a database and returns how to connect to it.</summary>
    public string NewDatabase()
    {
        Skip.IfNot(IsInstalled, "PostgreSQL is not installed (Debian: apt-get install postgresql)");
        var name = string.Create(CultureInfo.InvariantCulture, $"d{Interlocked.Increment(ref _databases)}");
        using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"CREATE DATABASE {name}";
        command.ExecuteNonQuery();
        return ConnectionString(name);
    }

    /// <summary>Ends all connections at once, as a server that dies does, or lets them come again.</summary>
    public void Restart(Action whileItIsAway)
    {
        Run("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
        NpgsqlConnection.ClearAllPools();
        whileItIsAway();
        StartAgain(_port.Value);
    }

    public void Dispose()
    {
        if (_port.IsValueCreated)
        {
            NpgsqlConnection.ClearAllPools();
            Run("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string Data => Path.Combine(_folder, "data");

    private string ConnectionString(string database) => string.Create(
        CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_port.Value};Username={User};Database={database}");

    private static string? Programs() => Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Order().Select(version => Path.Combine(version, "bin"))
            .LastOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
        : null;

    private int Start()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        if (Environment.IsPrivilegedProcess)
        {
            // The server does not run as root.
            Execute("chown", ["postgres", _folder]);
        }

        Run("initdb", "-D", Data, "-A", "trust", "-U", User, "--no-sync", "--no-locale", "-E", "UTF8");
        StartAgain(port);
        return port;
    }

    private void StartAgain(int port) => Run(
        "pg_ctl",
        "-D",
        Data,
        "-l",
        Path.Combine(_folder, "log"),
        "-o",
        string.Create(CultureInfo.InvariantCulture, $"-p {port} -k {_folder} -c listen_addresses=127.0.0.1"),
        "-w",
        "start");

    private void Run(string program, params string[] arguments)
    {
        var path = Path.Combine(_programs!, program);
        if (Environment.IsPrivilegedProcess)
        {
            Execute("runuser", ["-u", "postgres", "--", path, .. arguments]);
        }
        else
        {
            Execute(path, arguments);
        }
    }

    private static void Execute(string program, string[] arguments)
    {
        // What the server inherits must not be a pipe of ours: it would never end.
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = "/tmp" };
        foreach (var argument in (string[])["-c", "exec \"$@\" > /dev/null 2>&1", "sh", program, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}");
    }
}
