using System.CommandLine;
using DistributedBackprop.Server.Grpc;

namespace DistributedBackprop.Cli.Service;

/// <summary>The options of every command that talks to a service: where it is, and by what it knows the caller.</summary>
internal sealed class ServiceAddress
{
    private const string Variables = "BACKPROP__";

    private readonly Option<string?> _address = Text(
        "--address", "URL", $"Where a node serves. Default: BACKPROP__ADDRESS, else http://127.0.0.1:{ServiceOptions.DefaultPort}.");

    private readonly Option<string?> _tokenFile = Text(
        "--token-file", "FILE", "The file of the service's token. Default: BACKPROP__TOKEN (the token itself), BACKPROP__TOKENFILE, else the one that a node of this machine has written, ~/.config/backprop/token.");

    private readonly Option<string?> _authority = Text(
        "--authority", "FILE", "Who signs the certificates of nodes (PEM), for https. Default: BACKPROP__TLS__AUTHORITY, else those of this machine.");

    private readonly Option<string?> _certificate = Text(
        "--certificate", "FILE", "The caller's certificate and key (PEM), where the service asks for one. Default: BACKPROP__TLS__CERTIFICATE.");

    private readonly Option<bool> _json = new("--json") { Description = "Print JSON to standard output, an object a line." };

    /// <summary>Gives a command the options.</summary>
    public void AddTo(Command command)
    {
        command.Add(_address);
        command.Add(_tokenFile);
        command.Add(_authority);
        command.Add(_certificate);
        command.Add(_json);
    }

    /// <summary>Whether JSON is asked for.</summary>
    public bool IsJson(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>Prepares a connection; nothing is sent yet.</summary>
    /// <exception cref="CommandException">The options are not as they must be.</exception>
    public ServiceConnection Connect(ParseResult parsed)
    {
        var text = parsed.GetValue(_address) ?? Variable("ADDRESS") ?? $"http://127.0.0.1:{ServiceOptions.DefaultPort}";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.AbsolutePath != "/")
        {
            throw new CommandException(ExitCode.Invalid, $"backprop: --address must be http://HOST:PORT or https://HOST:PORT (was '{text}')");
        }

        return new ServiceConnection(
            address,
            Token(parsed),
            parsed.GetValue(_authority) ?? Variable("TLS__AUTHORITY"),
            parsed.GetValue(_certificate) ?? Variable("TLS__CERTIFICATE"));
    }

    private AccessToken Token(ParseResult parsed)
    {
        var file = parsed.GetValue(_tokenFile);
        var given = file is null ? Variable("TOKEN") : null;
        file ??= Variable("TOKENFILE") ?? ServiceSettings.DefaultTokenFile;
        try
        {
            return new AccessToken(given ?? PrivateFile.Read(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                ExitCode.Denied,
                $"backprop: no token: {e.Message} (a node writes it there at its first start; --token-file names another, BACKPROP__TOKEN holds it)");
        }
        catch (ArgumentException)
        {
            throw new CommandException(
                ExitCode.Denied,
                $"backprop: {(given is null ? file : "BACKPROP__TOKEN")}: must hold {AccessToken.MinLength} … {AccessToken.MaxLength} printable ASCII characters without spaces");
        }
    }

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable($"{Variables}{name}") is { Length: > 0 } value ? value : null;

    private static Option<string?> Text(string name, string value, string description) =>
        new(name) { Description = description, HelpName = value };
}
