using System.CommandLine;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop health</c>: asks a node whether it is ready, as whoever supervises it does.</summary>
internal static class HealthCommand
{
    private const string DefaultPort = "4790";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var url = new Option<string?>("--url")
        {
            Description = $"What to ask. Default: http://127.0.0.1:PORT/health/ready with PORT of BACKPROP__HEALTHPORT, else {DefaultPort}.",
            HelpName = "URL",
        };
        var command = new Command("health", "Ask a node of this machine whether it is ready; its answer is printed, the exit code is 0 where it is.") { url };
        command.SetAction(async (parsed, cancellation) =>
        {
            var text = parsed.GetValue(url)
                ?? $"http://127.0.0.1:{Environment.GetEnvironmentVariable("BACKPROP__HEALTHPORT") ?? DefaultPort}/health/ready";
            if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            {
                throw new CommandException(ExitCode.Invalid, $"backprop: --url must be http://HOST:PORT/PATH (was '{text}')");
            }

            using var client = new HttpClient { Timeout = _patience };
            try
            {
                using var answer = await client.GetAsync(address, cancellation);
                await Console.Out.WriteLineAsync(await answer.Content.ReadAsStringAsync(cancellation));
                return answer.IsSuccessStatusCode ? ExitCode.Done : ExitCode.NoCluster;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                throw new CommandException(ExitCode.NoCluster, $"backprop: {address} does not answer: {e.Message}");
            }
        });
        return command;
    }
}
