using System.CommandLine;

namespace DistributedBackprop.Cli.Node;

/// <summary><c>backprop node</c>: runs one node of a cluster until it is told to go.</summary>
internal static class NodeCommand
{
    public static Command Create()
    {
        // By the names of the settings: what a value may be is checked in one place, wherever the value comes from.
        (string Setting, Option<string?> Option)[] settings =
        [
            ("Name", Text("--name", "NAME", "Names the node among the others. Default: the machine's name and the process id.")),
            ("Roles", Text("--roles", "ROLES", "What it does: worker, coordinator or both with a comma. Default: worker.")),
            ("Host", Text("--host", "ADDRESS", "The IP address on which it listens. Default: 127.0.0.1.")),
            ("PublicHost", Text("--public-host", "HOST", "The host under which other nodes reach it. Default: --host.")),
            ("Port", Text("--port", "PORT", "The port of control messages. Default: 0, any.")),
            ("TensorPort", Text("--tensor-port", "PORT", "The port of tensors. Default: 0, any.")),
            ("Seeds", Text("--seeds", "HOST:PORT,...", "Nodes of the cluster through which it joins. None: it is the first, and a coordinator.")),
            ("DataRoot", Text("--data-root", "DIR", "The folder of the data files. Default: the working folder.")),
            ("Threads", Text("--threads", "T", "Threads on which its layers compute; the weights do not depend on it. Default: the machine's cores.")),
            ("SecretFile", Text("--secret-file", "FILE", "What all nodes of the cluster know; or in the environment, BACKPROP__SECRET.")),
            ("Tls:Certificate", Text("--tls-certificate", "FILE", "This node's certificate (PEM): nodes talk over mutual TLS.")),
            ("Tls:Key", Text("--tls-key", "FILE", "The certificate's key (PEM). Default: in the file of the certificate.")),
            ("Tls:Authority", Text("--tls-authority", "FILE", "Who signs the certificates of nodes (PEM); no others are trusted.")),
            ("JoinDeadlineSeconds", Text("--join-deadline", "SECONDS", "How long it looks for its cluster. Default: 30.")),
            ("LeaveDeadlineSeconds", Text("--leave-deadline", "SECONDS", "How long a leave waits for its work to be handed over. Default: 60.")),
        ];
        var insecure = new Option<bool>("--insecure") { Description = "Listen beyond this machine without TLS." };
        var verbose = new Option<bool>("--verbose") { Description = "Say more of what happens, on standard error." };
        var child = new Option<bool>("--child") { Hidden = true };
        var command = new Command(
            "node",
            """
            Run a node of a cluster until SIGTERM, which has it leave politely; a second signal ends it at once.
            The settings are also taken from the environment (BACKPROP__NAME ...) and from the section Backprop of
            appsettings.json in the working folder; flags go before both.
            """);
        foreach (var (_, option) in settings)
        {
            command.Add(option);
        }

        command.Add(insecure);
        command.Add(verbose);
        command.Add(child);
        command.SetAction((parsed, _) =>
        {
            if (parsed.GetValue(child))
            {
                return NodeRun.RunChildAsync();
            }

            var flags = settings
                .Select(setting => KeyValuePair.Create(setting.Setting, parsed.GetValue(setting.Option)))
                .Where(flag => flag.Value is not null)
                .ToList();
            if (parsed.GetValue(insecure))
            {
                flags.Add(KeyValuePair.Create("Insecure", (string?)bool.TrueString));
            }

            return NodeRun.RunAsync(flags, parsed.GetValue(verbose));
        });
        return command;
    }

    private static Option<string?> Text(string name, string value, string description) =>
        new(name) { Description = description, HelpName = value };
}
