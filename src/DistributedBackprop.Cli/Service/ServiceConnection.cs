using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Grpc;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;

namespace DistributedBackprop.Cli.Service;

/// <summary>A connection to a service. Calls that fail because nobody answers are made again, as gRPC itself does it.</summary>
internal sealed class ServiceConnection : IDisposable
{
    private const int LargestMessage = (64 << 20) + 4096;

    private readonly GrpcChannel _channel;
    private readonly AccessToken _token;

    /// <param name="address">Where the service is.</param>
    /// <param name="token">By what it knows the caller.</param>
    /// <param name="authority">Who signs the certificates of nodes (PEM); null: those whom this machine trusts.</param>
    /// <param name="certificate">The caller's certificate and key (PEM); null: none.</param>
    /// <exception cref="CommandException">A file is not what it must be.</exception>
    public ServiceConnection(Uri address, AccessToken token, string? authority, string? certificate)
    {
        Address = address;
        _token = token;
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) }.WithPings();
        if (address.Scheme == Uri.UriSchemeHttps)
        {
            handler.SslOptions = Tls(authority, certificate);
        }

        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = LargestMessage,
            MaxSendMessageSize = LargestMessage,
            ServiceConfig = Retries,
        });
        Training = new Protocol.Training.TrainingClient(_channel);
        Models = new Models.ModelsClient(_channel);
    }

    /// <summary>Where the service is.</summary>
    public Uri Address { get; }

    /// <summary>Jobs and the cluster.</summary>
    public Protocol.Training.TrainingClient Training { get; }

    /// <summary>What jobs have trained.</summary>
    public Models.ModelsClient Models { get; }

    // All calls may be made twice: a job is handed in under an id of its own.
    private static ServiceConfig Retries => new()
    {
        MethodConfigs =
        {
            new MethodConfig
            {
                Names = { MethodName.Default },
                RetryPolicy = new RetryPolicy
                {
                    MaxAttempts = 5,
                    InitialBackoff = TimeSpan.FromMilliseconds(200),
                    MaxBackoff = TimeSpan.FromSeconds(3),
                    BackoffMultiplier = 2,
                    RetryableStatusCodes = { StatusCode.Unavailable },
                },
            },
        },
    };

    /// <summary>How a call is made.</summary>
    /// <param name="within">Its deadline from now; null: none.</param>
    /// <param name="cancellation">Gives it up.</param>
    public CallOptions Options(TimeSpan? within, CancellationToken cancellation) => new(
        new Metadata { { "authorization", _token.Bearer } },
        within is { } span ? DateTime.UtcNow + span : null,
        cancellation);

    public void Dispose() => _channel.Dispose();

    private static SslClientAuthenticationOptions Tls(string? authority, string? certificate)
    {
        var options = new SslClientAuthenticationOptions();
        try
        {
            if (authority is not null)
            {
                var policy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                };
                policy.CustomTrustStore.ImportFromPemFile(authority);
                options.CertificateChainPolicy = policy;
            }

            if (certificate is not null)
            {
                options.ClientCertificates = [X509Certificate2.CreateFromPemFile(certificate)];
            }
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandException(ExitCode.Invalid, $"backprop: --authority and --certificate must be files of PEM: {e.Message}");
        }

        return options;
    }
}
