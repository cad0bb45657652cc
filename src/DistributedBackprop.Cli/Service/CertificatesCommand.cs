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
        var days = new Option<int>("--days") { Description = "How long they are valid. Default: 90.", DefaultValueFactory = _ => 90, HelpName = "N" };
        var command = new Command(
            "certificates",
            "Make a certificate authority for development and certificates of nodes, for messages, tensors and the service. Where the authority is there already it signs further nodes.")
        {
            folder, nodes, days,
        };
        command.SetAction(parsed =>
        {
            var names = parsed.GetValue(nodes)!.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToList();
            if (names.Count == 0 || names.Find(name => Uri.CheckHostName(name) == UriHostNameType.Unknown) is not null)
            {
                throw new CommandException(ExitCode.Invalid, $"backprop: --nodes must be names or IP addresses (was '{string.Join(',', parsed.GetValue(nodes)!)}')");
            }

            if (parsed.GetValue(days) is < 1 or > 3650)
            {
                throw new CommandException(ExitCode.Invalid, $"backprop: --days must be 1 … 3650 (was {parsed.GetValue(days)})");
            }

            try
            {
                foreach (var file in DevelopmentCertificates.Write(parsed.GetValue(folder)!, names, TimeSpan.FromDays(parsed.GetValue(days))))
                {
                    Console.Out.WriteLine(file);
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
}
