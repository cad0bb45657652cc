using System.CommandLine;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop certificates DIR</c>: a certificate authority for development, and certificates of nodes.</summary>
internal static class CertificatesCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("DIR") { Description = "Where to write authority.pem and NAME.pem for each node (certificate and key)." };
        var nodes = new Option<string[]>("--nodes")
        {
            Description = "The nodes, by the names or addresses under which others reach them; more than one with commas.",
            HelpName = "NAMES",
            Required = true,
        };
        var also = new Option<string[]>("--also")
        {
            Description = "Names or addresses under which any of the nodes is reached, too, as those of a load balancer; more than one with commas.",
            HelpName = "NAMES",
        };
        var days = new Option<int>("--days") { Description = "How long they are valid. Default: 90.", DefaultValueFactory = _ => 90, HelpName = "N" };
        var secrets = new Option<bool>("--secrets") { Description = "Make the cluster's secret and the service's token, too, in the files secret and token, where they are not there." };
        var command = new Command(
            "certificates",
            "Make a certificate authority for development and certificates of nodes, for messages, tensors and the service. Where the authority is there already it signs further nodes.")
        {
            folder, nodes, also, days, secrets,
        };
        command.SetAction(parsed =>
        {
            var names = Hosts("--nodes", parsed.GetValue(nodes)!);
            var others = Hosts("--also", parsed.GetValue(also) ?? []);
            if (names.Count == 0)
            {
                throw new CommandException(ExitCode.Invalid, "backprop: --nodes must name at least one node");
            }

            if (parsed.GetValue(days) is < 1 or > 3650)
            {
                throw new CommandException(ExitCode.Invalid, $"backprop: --days must be 1 … 3650 (was {parsed.GetValue(days)})");
            }

            try
            {
                foreach (var file in DevelopmentCertificates.Write(parsed.GetValue(folder)!, names, TimeSpan.FromDays(parsed.GetValue(days)), others))
                {
                    Console.Out.WriteLine(file);
                }

                if (parsed.GetValue(secrets))
                {
                    DevelopmentCertificates.MintSecrets(parsed.GetValue(folder)!);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
            {
                throw new CommandException(ExitCode.Invalid, $"backprop: {parsed.GetValue(folder)}: {e.Message}");
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static List<string> Hosts(string option, string[] texts)
    {
        var names = texts.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToList();
        return names.Find(name => Uri.CheckHostName(name) == UriHostNameType.Unknown) is { } wrong
            ? throw new CommandException(ExitCode.Invalid, $"backprop: {option} must be names or IP addresses (was '{wrong}')")
            : names;
    }
}
