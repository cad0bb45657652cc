using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;
using k8s;
using k8s.Models;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>The manifests of <c>deploy/kubernetes</c>, read by the types of Kubernetes' own client, which know every field.</summary>
public sealed class KubernetesTests
{
    private static readonly string[] _files = Directory.GetFiles(RepositoryRoot.File("deploy/kubernetes"), "*.yaml");
    private static readonly IReadOnlyList<IKubernetesObject> _objects = [.. _files.SelectMany(file => Read(File.ReadAllText(file)))];

    [Fact]
    public void Every_field_is_one_of_Kubernetes() => _objects.Select(found => found.Kind).Distinct().Order().ShouldBe(
        ["ConfigMap", "PodDisruptionBudget", "Service", "StatefulSet"]);

    [Theory]
    [InlineData("serviceName:", "serviceNames:")]
    [InlineData("httpGet:", "httpget:")]
    [InlineData("maxUnavailable:", "maxUnavailables:")]
    [InlineData("replicas: 3", "replicas: three")]
    public void A_wrong_field_is_found(string right, string wrong)
    {
        var text = File.ReadAllText(RepositoryRoot.File("deploy/kubernetes/backprop.yaml"));
        text.ShouldContain(right);
        Should.Throw<Exception>(() => Read(text.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Fact]
    public void Sets_have_the_pods_that_they_make_and_a_headless_service_that_names_them()
    {
        foreach (var set in Of<V1StatefulSet>())
        {
            Fits(set.Spec.Selector.MatchLabels, set.Spec.Template.Metadata.Labels).ShouldBeTrue(set.Metadata.Name);
            var headless = Of<V1Service>().Single(service => service.Metadata.Name == set.Spec.ServiceName);
            headless.Spec.ClusterIP.ShouldBe("None");
            Fits(headless.Spec.Selector, set.Spec.Template.Metadata.Labels).ShouldBeTrue(set.Metadata.Name);
        }

        Nodes.Count().ShouldBe(2);
        Of<V1Service>().Single(service => service.Metadata.Name == "backprop-nodes").Spec.PublishNotReadyAddresses.ShouldBe(true);
    }

    [Fact]
    public void Every_port_that_is_named_is_opened()
    {
        foreach (var service in Of<V1Service>())
        {
            var pods = Of<V1StatefulSet>().Select(set => set.Spec.Template).Where(pod => Fits(service.Spec.Selector, pod.Metadata.Labels)).ToList();
            pods.ShouldNotBeEmpty(service.Metadata.Name);
            foreach (var pod in pods)
            {
                var ports = pod.Spec.Containers.SelectMany(container => container.Ports).Select(port => port.Name).ToList();
                service.Spec.Ports.Select(port => port.TargetPort.Value).Except(ports).ShouldBeEmpty(service.Metadata.Name);
            }
        }

        foreach (var container in Nodes.SelectMany(set => set.Spec.Template.Spec.Containers))
        {
            var settings = Of<V1ConfigMap>().Single().Data;
            string Port(string name) => $"{container.Ports.Single(port => port.Name == name).ContainerPort}";
            Port("control").ShouldBe(settings["BACKPROP__PORT"]);
            Port("tensors").ShouldBe(settings["BACKPROP__TENSORPORT"]);
            Port("grpc").ShouldBe(settings["BACKPROP__SERVICEPORT"]);
            Port("health").ShouldBe(settings["BACKPROP__HEALTHPORT"]);
        }
    }

    [Fact]
    public void Nodes_are_probed_and_are_nobody_special()
    {
        foreach (var set in Nodes)
        {
            var pod = set.Spec.Template.Spec;
            pod.SecurityContext.RunAsNonRoot.ShouldBe(true);
            pod.AutomountServiceAccountToken.ShouldBe(false);
            var container = pod.Containers.ShouldHaveSingleItem();
            container.LivenessProbe.HttpGet.Path.ShouldBe("/health/live");
            container.ReadinessProbe.HttpGet.Path.ShouldBe("/health/ready");
            container.LivenessProbe.HttpGet.Port.Value.ShouldBe("health");
            container.ReadinessProbe.HttpGet.Port.Value.ShouldBe("health");
            container.SecurityContext.ReadOnlyRootFilesystem.ShouldBe(true);
            container.SecurityContext.AllowPrivilegeEscalation.ShouldBe(false);
            container.Resources.Requests.Keys.Order().ShouldBe(["cpu", "memory"]);
            container.Resources.Limits.Keys.ShouldBe(["memory"]);
            container.VolumeMounts.Select(mount => mount.Name).Except(pod.Volumes.Select(volume => volume.Name)).ShouldBeEmpty();
        }
    }

    [Fact]
    public void Disruptions_are_bounded_for_pods_that_are_there()
    {
        var budget = Of<V1PodDisruptionBudget>().ShouldHaveSingleItem();
        Nodes.Count(set => Fits(budget.Spec.Selector.MatchLabels, set.Spec.Template.Metadata.Labels)).ShouldBe(1);
    }

    [Fact]
    public async Task Every_setting_is_one_of_the_program_and_no_secret_is_written_down()
    {
        var known = await NodeSettingNames.ReadAsync();
        var variables = Nodes.SelectMany(set => set.Spec.Template.Spec.Containers).SelectMany(container => container.Env).ToList();
        variables.Select(variable => variable.Name).Concat(Of<V1ConfigMap>().Single().Data.Keys)
            .Where(name => name != "POD_NAME").Distinct().Except(known).ShouldBeEmpty();
        variables.Where(variable => variable.Name is "BACKPROP__SECRET" or "BACKPROP__TOKEN" or "BACKPROP__DATABASE")
            .ShouldAllBe(variable => variable.Value == null && variable.ValueFrom.SecretKeyRef != null);

        // What the manifests name and do not hold is what the README has people make.
        var readme = await File.ReadAllTextAsync(RepositoryRoot.File("deploy/README.md"));
        foreach (var reference in variables.Select(variable => variable.ValueFrom?.SecretKeyRef).Where(reference => reference is not null))
        {
            readme.ShouldContain($"secret generic {reference!.Name} ");
            readme.ShouldContain($"{reference.Key}=");
        }

        foreach (var secret in Nodes.SelectMany(set => set.Spec.Template.Spec.Volumes).Where(volume => volume.Secret is not null))
        {
            readme.ShouldContain($"secret generic {secret.Secret.SecretName} ");
        }
    }

    [SkippableFact]
    public async Task As_plain_processes_the_pods_train_to_the_same_weights()
    {
        Skip.If(DebianPostgreSql.Programs is null, "PostgreSQL is not installed (Debian: apt-get install postgresql)");
        Skip.IfNot(OperatingSystem.IsLinux(), "each pod has a loopback address of its own, as Linux has them");
        var database = Of<V1StatefulSet>().Single(set => set.Metadata.Name == "backprop-postgres");
        var secret = new Dictionary<string, string>
        {
            ["secret"] = "the-secret-of-these-pods",
            ["token"] = "the-token-of-these-pods",
            ["database-password"] = "the-password-of-these-pods",
            ["database"] = DatabaseOfReadme("the-password-of-these-pods"),
        };
        using var cluster = await ComposedProcesses.UpAsync(PodServices.Of(Nodes, database, Of<V1ConfigMap>().Single(), secret));
        cluster.Nodes.Count().ShouldBe(4);

        // Through a worker, as the service of the manifests may choose it: calls reach the coordinator.
        var worker = "backprop-worker-1.backprop-nodes";
        var run = await cluster.ExecAsync(
            worker, "submit", ExampleJob.PathOf("residual"), "--id", "first", "--watch", "--json", "--address", $"https://{worker}:4700");
        run.Sha256.ShouldBe(GoldenTests.WeightsOf("residual"), run.Errors);
        run.Events.First(happened => happened.Word() == "generation").GetProperty("placement").EnumerateArray()
            .Select(place => place.GetProperty("node").GetString()).Distinct().Order()
            .ShouldBe(["backprop-worker-0", "backprop-worker-1", "backprop-worker-2"]);
        foreach (var ended in await cluster.DownAsync())
        {
            ended.ExitCode.ShouldBe(0, ended.Errors);
            secret.Values.Where(value => (ended.Output + ended.Errors).Contains(value, StringComparison.Ordinal)).ShouldBeEmpty();
        }
    }

    private static string DatabaseOfReadme(string password) => Regex.Match(
        File.ReadAllText(RepositoryRoot.File("deploy/README.md")), "--from-literal=database=\"([^\"]+)\"")
        .Groups[1].Value.Replace("$password", password, StringComparison.Ordinal);

    private static IEnumerable<V1StatefulSet> Nodes => Of<V1StatefulSet>().Where(set => set.Spec.Template.Spec.Containers.Any(container => container.Image == "backprop"));

    private static IEnumerable<T> Of<T>() => _objects.OfType<T>();

    private static IEnumerable<IKubernetesObject> Read(string text) => KubernetesYaml.LoadAllFromString(text, null, strict: true).Cast<IKubernetesObject>();

    private static bool Fits(IDictionary<string, string> selector, IDictionary<string, string> labels) =>
        selector.Count > 0 && selector.All(label => labels.TryGetValue(label.Key, out var value) && value == label.Value);
}
