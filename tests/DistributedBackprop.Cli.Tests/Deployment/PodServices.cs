using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.House;
using k8s.Models;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>
/// The pods of the manifests as services: each with its name behind the headless service, the arguments of its container,
/// and its environment as Kubernetes makes it of values, config maps, secrets and names.
/// </summary>
internal static class PodServices
{
    private const string Secrets = "/run/backprop";

    /// <param name="sets">The sets of nodes.</param>
    /// <param name="database">The set of the database.</param>
    /// <param name="settings">The config map that they name.</param>
    /// <param name="secret">The values of the secret that they name, by their keys.</param>
    public static IReadOnlyList<ComposeService> Of(
        IEnumerable<V1StatefulSet> sets, V1StatefulSet database, V1ConfigMap settings, IReadOnlyDictionary<string, string> secret) =>
    [
        Service("made", "backprop", CertificatesCommand(), [], ["certs:certs"], []),
        Database(database, secret),
        .. sets.SelectMany(set => Enumerable.Range(0, set.Spec.Replicas!.Value).Select(i => Pod(set, i, database, settings, secret))),
    ];

    // The one of the README, as people type it.
    private static string[] CertificatesCommand()
    {
        var readme = File.ReadAllText(RepositoryRoot.File("deploy/README.md"));
        return Regex.Match(readme, @"^backprop (certificates certs .*)$", RegexOptions.Multiline).Groups[1].Value.Split(' ');
    }

    private static ComposeService Pod(
        V1StatefulSet set, int number, V1StatefulSet database, V1ConfigMap settings, IReadOnlyDictionary<string, string> secret)
    {
        var name = $"{set.Metadata.Name}-{number}";
        var container = set.Spec.Template.Spec.Containers.Single();
        container.EnvFrom.Single().ConfigMapRef.Name.ShouldBe(settings.Metadata.Name);
        var environment = new Dictionary<string, string>(settings.Data);
        foreach (var variable in container.Env)
        {
            var value = variable.ValueFrom switch
            {
                null => variable.Value,
                { FieldRef.FieldPath: "metadata.name" } => name,
                { SecretKeyRef: { } key } => secret[key.Key],
                _ => throw new InvalidOperationException($"{variable.Name} comes from nowhere."),
            };
            environment[variable.Name] = Regex.Replace(value, @"\$\((\w+)\)", match => environment[match.Groups[1].Value]);
        }

        container.VolumeMounts.Select(mount => mount.MountPath).ShouldBe([Secrets, environment["BACKPROP__DATAROOT"], "/tmp"], ignoreOrder: true);
        return Service(
            $"{name}.{set.Spec.ServiceName}",
            container.Image,
            container.Args,
            environment,
            [$"certs:{Secrets}", $"data:{environment["BACKPROP__DATAROOT"]}"],
            new() { ["made"] = "service_completed_successfully", [database.Metadata.Name] = "service_healthy" });
    }

    private static ComposeService Database(V1StatefulSet set, IReadOnlyDictionary<string, string> secret)
    {
        var container = set.Spec.Template.Spec.Containers.Single();
        var environment = container.Env.ToDictionary(variable => variable.Name, variable => variable.Value ?? secret[variable.ValueFrom.SecretKeyRef.Key]);
        var service = Service(set.Metadata.Name, container.Image, [], environment, [], []);
        service.Text["healthcheck"] = new JsonObject
        {
            ["test"] = JsonSerializer.SerializeToNode(container.ReadinessProbe.Exec.Command.Prepend("CMD")),
        };
        return service;
    }

    private static ComposeService Service(
        string name,
        string image,
        IEnumerable<string> command,
        Dictionary<string, string> environment,
        string[] volumes,
        Dictionary<string, string> dependsOn) => new(name, JsonSerializer.SerializeToNode(new
        {
            image,
            command,
            environment,
            volumes,
            depends_on = dependsOn.ToDictionary(pair => pair.Key, pair => new { condition = pair.Value }),
        })!.AsObject());
}
