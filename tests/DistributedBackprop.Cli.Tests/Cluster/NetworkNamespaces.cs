using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>
/// Machines as far as the network goes: Linux network namespaces, each with one address, joined by a bridge in a
/// namespace of its own, so that nothing of this machine's network changes. Gone afterwards; those of a test that was
/// killed go with the next.
/// </summary>
internal sealed class NetworkNamespaces : IDisposable
{
    private const string Prefix = "backprop-test-";

    private readonly List<string> _names = [];

    private NetworkNamespaces()
    {
    }

    /// <summary>Makes machines.</summary>
    /// <param name="count">How many, 1 to 254.</param>
    /// <param name="whyNot">Why there are none, where the result is null.</param>
    public static NetworkNamespaces? TryCreate(int count, out string whyNot)
    {
        var made = new NetworkNamespaces();
        try
        {
            RemoveForsaken();
            var bridge = made.Add("bridge");
            Ip("-n", bridge, "link", "add", "bridge", "type", "bridge");
            Ip("-n", bridge, "link", "set", "bridge", "up");
            for (var machine = 0; machine < count; machine++)
            {
                var (name, port) = (made.Add(Text(machine)), $"port{Text(machine)}");
                Ip("-n", bridge, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name);
                Ip("-n", bridge, "link", "set", port, "master", "bridge", "up");
                Ip("-n", name, "address", "add", $"{AddressOf(machine)}/24", "dev", "eth0");
                Ip("-n", name, "link", "set", "eth0", "up");
                Ip("-n", name, "link", "set", "lo", "up");
            }

            whyNot = "";
            return made;
        }
        catch (InvalidOperationException e)
        {
            made.Dispose();
            whyNot = e.Message;
            return null;
        }
    }

    /// <summary>The address of a machine, counted from 0.</summary>
    public static IPAddress AddressOf(int machine) => new([10, 77, 0, checked((byte)(machine + 1))]);

    /// <summary>A command line, as it must be to run on a machine.</summary>
    public IReadOnlyList<string> On(int machine, params IEnumerable<string> command) =>
        ["ip", "netns", "exec", _names[machine + 1], .. command];

    public void Dispose()
    {
        // The bridge last: its ports go with the machines.
        foreach (var name in Enumerable.Reverse(_names))
        {
            TryRemove(name);
        }
    }

    private string Add(string name)
    {
        var whole = $"{Prefix}{Text(Environment.ProcessId)}-{name}";
        Ip("netns", "add", whole);
        _names.Add(whole);
        return whole;
    }

    private static void RemoveForsaken()
    {
        foreach (var line in Ip("netns", "list").Split('\n').Where(line => line.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var name = line.Split(' ')[0];
            if (!Directory.Exists($"/proc/{name[Prefix.Length..].Split('-')[0]}"))
            {
                TryRemove(name);
            }
        }
    }

    private static void TryRemove(string name)
    {
        try
        {
            Ip("netns", "delete", name);
        }
        catch (InvalidOperationException)
        {
            // Nothing is left that could be tried; the next test tries it again.
        }
    }

    private static string Ip(params IEnumerable<string> arguments)
    {
        try
        {
            using var ip = Process.Start(new ProcessStartInfo("ip", arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var errors = ip.StandardError.ReadToEndAsync();
            var output = ip.StandardOutput.ReadToEnd();
            ip.WaitForExit();
            return ip.ExitCode == 0
                ? output
                : throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {errors.GetAwaiter().GetResult().Trim()}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new InvalidOperationException("There is no program 'ip' (iproute2) here.");
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
