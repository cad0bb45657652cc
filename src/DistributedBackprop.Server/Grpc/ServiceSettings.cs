using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using DistributedBackprop.Training.Jobs.Table;
using Microsoft.Extensions.Configuration;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Reads how a node serves from its configuration; the values of secrets are never part of a message.</summary>
/// <param name="section">The node's settings.</param>
/// <param name="error">Is told what is wrong: the setting, and what it must be.</param>
public sealed class ServiceSettings(IConfigurationSection section, Action<string, string> error)
{
    private const int MostJobs = 100_000;

    /// <summary>The file of the token, unless the settings name another.</summary>
    public static string DefaultTokenFile => Path.Combine(PrivateFile.Folder, "token");

    /// <summary>The file of the cluster's secret on the machine of a coordinator that was given none.</summary>
    public static string DefaultSecretFile => Path.Combine(PrivateFile.Folder, "secret");

    /// <summary>How the node serves; null where something is wrong.</summary>
    /// <param name="host">Where it listens.</param>
    /// <param name="isCoordinator">Whether it may coordinate: then clients know its port.</param>
    /// <param name="hasTls">Whether it has a certificate.</param>
    public ServiceOptions? Read(IPAddress host, bool isCoordinator, bool hasTls)
    {
        var port = (int)Number("ServicePort", isCoordinator ? ServiceOptions.DefaultPort : 0, 0, IPEndPoint.MaxPort);
        var (table, jobs) = (Table(), Limits());
        var asks = Flag("ServiceClientCertificates");
        if (asks && !hasTls)
        {
            error("ServiceClientCertificates", "needs Tls: without it callers show no certificates");
        }

        return Token() is { } token
            ? new ServiceOptions(new IPEndPoint(host, port), token)
            {
                AsksForCertificates = asks,
                Health = section["HealthPort"] is null ? null : new IPEndPoint(host, (int)Number("HealthPort", 0, 0, IPEndPoint.MaxPort)),
                IsDevelopment = Flag("Development"),
                Table = table,
                Jobs = jobs,
            }
            : null;
    }

    /// <summary>The named folders of data files.</summary>
    public ImmutableDictionary<string, string> DataRoots()
    {
        var roots = ImmutableDictionary.CreateBuilder<string, string>();
        foreach (var root in section.GetSection("DataRoots").GetChildren())
        {
            if (!Jobs.DataRoots.IsName(root.Key))
            {
                error("DataRoots", $"must have names of {Jobs.DataRoots.AllowedNames} (was '{root.Key}')");
            }
            else if (!Directory.Exists(root.Value))
            {
                error($"DataRoots:{root.Key}", $"must be a folder that is there (was '{root.Value}')");
            }
            else
            {
                roots[root.Key] = root.Value;
            }
        }

        return roots.ToImmutable();
    }

    private JobTableLimits Table()
    {
        var usual = new JobTableLimits();
        return new JobTableLimits(
            (int)Number("MaxWaitingJobs", usual.Open, 1, MostJobs),
            (int)Number("MaxFinishedJobs", usual.Over, 1, MostJobs));
    }

    private JobLimits Limits()
    {
        var usual = new JobLimits();
        return new JobLimits(
            Number("MaxParameters", usual.Parameters, 1, long.MaxValue),
            Number("MaxMemoryBytes", usual.MemoryBytes, 1, long.MaxValue),
            Number("MaxBatchBytes", usual.BatchBytes, 1, long.MaxValue),
            Number("MaxSteps", usual.Steps, 1, long.MaxValue),
            (int)Number("MaxEpochs", usual.Epochs, 1, int.MaxValue));
    }

    private AccessToken? Token()
    {
        var text = section["Token"];
        var file = section["TokenFile"];
        if (text is not null && file is not null)
        {
            error("Token", "and TokenFile must not both be given");
            return null;
        }

        file ??= DefaultTokenFile;
        try
        {
            text ??= PrivateFile.ReadOrMint(file, () => AccessToken.Random().Reveal());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error("TokenFile", $"cannot be used: {e.Message}");
            return null;
        }

        try
        {
            return new AccessToken(text);
        }
        catch (ArgumentException)
        {
            error(
                section["Token"] is null ? "TokenFile" : "Token",
                $"must hold {AccessToken.MinLength} … {AccessToken.MaxLength} printable ASCII characters without spaces (has {text.Length} characters)");
            return null;
        }
    }

    private long Number(string name, long otherwise, long least, long most)
    {
        if (section[name] is not { } text)
        {
            return otherwise;
        }

        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
        {
            return value;
        }

        error(name, $"must be {least} … {most} (was '{text}')");
        return otherwise;
    }

    private bool Flag(string name)
    {
        if (section[name] is not { } text)
        {
            return false;
        }

        if (!bool.TryParse(text, out var value))
        {
            error(name, $"must be true or false (was '{text}')");
        }

        return value;
    }
}
