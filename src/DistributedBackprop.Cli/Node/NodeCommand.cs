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
            ("Threads", Text("--threads", "T", "Threads on which its layers compute; the weights do not depend on it. Default: the machine's cores.")),
            ("SecretFile", Text("--secret-file", "FILE", "What all nodes of the cluster know; or in the environment, BACKPROP__SECRET.")),
            ("Tls:Certificate", Text("--tls-certificate", "FILE", "This node's certificate (PEM): nodes talk over mutual TLS.")),
            ("Tls:Key", Text("--tls-key", "FILE", "The certificate's key (PEM). Default: in the file of the certificate.")),
            ("Tls:Authority", Text("--tls-authority", "FILE", "Who signs the certificates of nodes (PEM); no others are trusted.")),
            ("ServicePort", Text("--service-port", "PORT", "The port of the service (gRPC). Default: 4700 on a coordinator, any on others.")),
            ("TokenFile", Text("--token-file", "FILE", "The token that callers of the service must know; made where it is not there. Default: ~/.config/backprop/token.")),
            ("HealthPort", Text("--health-port", "PORT", "The port on which it answers over HTTP whether it lives (/health/live) and is ready (/health/ready). Default: none.")),
            ("OtlpEndpoint", Text("--otlp-endpoint", "URL", "Where measures and traces go (OpenTelemetry, OTLP). Default: OTEL_EXPORTER_OTLP_ENDPOINT, else nowhere.")),
            ("LogFormat", Text("--log-format", "FORMAT", "How it writes its log to standard error: text or json. Default: text.")),
            ("State", Text("--state", "DIR", "Where a coordinator keeps its jobs, which then survive it; for one process at a time. Default: in memory.")),
            ("Database", Text("--database", "CONNECTION", "The same in PostgreSQL, for all nodes that may coordinate; better in the environment, BACKPROP__DATABASE, which nobody else sees.")),
            ("JoinDeadlineSeconds", Text("--join-deadline", "SECONDS", "How long it looks for its cluster. Default: 30.")),
            ("LeaveDeadlineSeconds", Text("--leave-deadline", "SECONDS", "How long a leave waits for its work to be handed over. Default: 60.")),
        ];
        var dataRoots = new Option<string[]>("--data-root")
        {
            Description = "The folder of the data files; as NAME=DIR, one that jobs name. May be given more than once. Default: the working folder.",
            HelpName = "DIR",
        };
        var clientCertificates = new Option<bool>("--service-client-certificates") { Description = "Callers of the service must show a certificate of --tls-authority, too." };
        var development = new Option<bool>("--development") { Description = "The service describes itself to tools (gRPC reflection)." };
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

        command.Add(dataRoots);
        command.Add(clientCertificates);
        command.Add(development);
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
            flags.AddRange((parsed.GetValue(dataRoots) ?? []).Select(DataRoot));
            foreach (var (setting, option) in new[]
            {
                ("Insecure", insecure), ("ServiceClientCertificates", clientCertificates), ("Development", development),
            })
            {
                if (parsed.GetValue(option))
                {
                    flags.Add(KeyValuePair.Create(setting, (string?)bool.TrueString));
                }
            }

            return NodeRun.RunAsync(flags, parsed.GetValue(verbose));
        });
        return command;
    }

    // DIR is the root of jobs that name none; a folder whose name has an equals sign is written ./DIR.
    private static KeyValuePair<string, string?> DataRoot(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && !text[..equals].Contains('/', StringComparison.Ordinal)
            ? KeyValuePair.Create($"DataRoots:{text[..equals]}", (string?)text[(equals + 1)..])
            : KeyValuePair.Create("DataRoot", (string?)text);
    }

    private static Option<string?> Text(string name, string value, string description) =>
        new(name) { Description = description, HelpName = value };
}
