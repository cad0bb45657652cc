using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;
using NJsonSchema;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary><c>docker-compose.yml</c>: what it says, and what it runs.</summary>
public sealed class ComposeTests
{
    [Fact]
    public async Task The_file_fits_its_schema() => (await FaultsAsync(_ => { })).ShouldBeEmpty();

    [Fact]
    public async Task The_schema_finds_what_is_wrong()
    {
        (await FaultsAsync(file => file["service"] = new JsonObject())).ShouldNotBeEmpty();
        (await FaultsAsync(file => Coordinator(file)["enviroment"] = new JsonObject())).ShouldNotBeEmpty();
        (await FaultsAsync(file => Coordinator(file)["ports"] = new JsonArray("localhost:x"))).ShouldNotBeEmpty();
        (await FaultsAsync(file => Coordinator(file)["restart"] = "sometimes")).ShouldNotBeEmpty();
        (await FaultsAsync(file => Coordinator(file)["depends_on"]!["postgres"]!["condition"] = "healthy")).ShouldNotBeEmpty();
        (await FaultsAsync(file => Coordinator(file).Remove("image"))).ShouldNotBeEmpty();
    }

    [Fact]
    public void Volumes_and_files_that_it_names_are_there()
    {
        var volumes = ComposeFile.Read()["volumes"]!.AsObject().Select(pair => pair.Key).ToList();
        foreach (var service in ComposeFile.Services())
        {
            foreach (var (source, _) in service.Volumes)
            {
                (source.Contains('/', StringComparison.Ordinal) ? Path.Exists(RepositoryRoot.File(source)) : volumes.Contains(source))
                    .ShouldBeTrue($"{service.Name}: {source}");
            }

            if (service.Text["build"] is { } build)
            {
                File.Exists(RepositoryRoot.File((string)build["dockerfile"]!)).ShouldBeTrue();
            }
        }
    }

    [Fact]
    public async Task Every_setting_is_one_of_the_program()
    {
        var known = await NodeSettingNames.ReadAsync();
        var services = ComposeFile.Services();
        services.SelectMany(service => service.Environment.Keys).Where(name => name.StartsWith("BACKPROP__", StringComparison.Ordinal))
            .Distinct().Except(known).ShouldBeEmpty();
        services.SelectMany(service => service.Environment.Keys).ShouldContain("BACKPROP__SECRETFILE");
    }

    [Fact]
    public void The_ports_of_the_image_are_those_of_the_nodes()
    {
        var environment = ComposeFile.Services().Single(service => service.Name == "coordinator").Environment;
        DockerFile.Last("EXPOSE").Split(' ').ShouldBe(
        [
            environment["BACKPROP__PORT"], environment["BACKPROP__TENSORPORT"], environment["BACKPROP__SERVICEPORT"], environment["BACKPROP__HEALTHPORT"],
        ]);
    }

    [Fact]
    public void The_image_is_built_of_what_is_there_and_runs_as_nobody_special()
    {
        foreach (var (_, rest) in DockerFile.Instructions.Where(found => found.Word == "COPY" && !found.Text.StartsWith("--from", StringComparison.Ordinal)))
        {
            foreach (var source in rest.Split(' ')[..^1])
            {
                Path.Exists(RepositoryRoot.File(source)).ShouldBeTrue(source);
            }
        }

        var project = Regex.Match(string.Join('\n', DockerFile.Instructions), @"dotnet publish (\S+)").Groups[1].Value;
        Directory.Exists(RepositoryRoot.File(project)).ShouldBeTrue(project);
        DockerFile.Instructions.Count(found => found.Word == "FROM").ShouldBe(2);
        DockerFile.Last("USER").ShouldBe("$APP_UID");
        DockerFile.Last("ENTRYPOINT").ShouldBe($"[\"{DockerFile.Program}\"]");
    }

    [SkippableFact]
    public async Task As_plain_processes_it_trains_to_the_same_weights()
    {
        Skip.If(DebianPostgreSql.Programs is null, "PostgreSQL is not installed (Debian: apt-get install postgresql)");
        Skip.IfNot(OperatingSystem.IsLinux(), "each service has a loopback address of its own, as Linux has them");
        using var cluster = await ComposedProcesses.UpAsync(ComposeFile.Services());

        var nodes = await cluster.ExecAsync("coordinator", "nodes", "--json");
        nodes.ExitCode.ShouldBe(0, nodes.Errors);
        nodes.Events.Select(node => node.GetProperty("state").GetString()).ShouldBe(["up", "up", "up", "up"]);

        // The very command of the file's first lines, and of the README.
        var run = await cluster.ExecAsync("coordinator", "submit", "/data/residual.yaml", "--id", "first", "--watch", "--json");
        run.Sha256.ShouldBe(GoldenTests.WeightsOf("residual"), run.Errors);
        var generation = run.Events.First(happened => happened.Word() == "generation");
        generation.GetProperty("placement").EnumerateArray().Select(place => place.GetProperty("node").GetString()).Distinct().Count().ShouldBe(3);

        // One that dies is started anew, the coordinator like a worker: the job goes on, and all are there again.
        var job = cluster.Job("residual", ("epochs: 8", "epochs: 120"));
        using (var watch = cluster.StartExec("coordinator", "submit", job, "--id", "second", "--watch", "--json"))
        {
            await watch.ReadUntilAsync(line => line.Contains("\"checkpoint\"", StringComparison.Ordinal));
            await cluster.RestartAsync("worker2");
            await watch.ReadUntilAsync(line => line.Contains("\"checkpoint\"", StringComparison.Ordinal));
            await cluster.RestartAsync("coordinator");
        }

        var undisturbed = await BackpropProcess.RunAsync(Path.GetTempPath(), null, "train", job, "--json", "--state", $"{job}.state");
        var ended = await cluster.ExecAsync("coordinator", "watch", "second", "--json");
        ended.Sha256.ShouldBe(undisturbed.Sha256, ended.Errors);
        ended.Last.GetProperty("recoveries").GetInt32().ShouldBeGreaterThanOrEqualTo(1);
        var again = await cluster.ExecAsync("coordinator", "nodes", "--json");
        again.Events.Select(node => node.GetProperty("state").GetString()).ShouldBe(["up", "up", "up", "up"]);

        // The address that is published is the one way in; nobody gets in without the token.
        var service = $"https://{cluster.AddressOf("coordinator")}:4700";
        var outside = await BackpropProcess.RunAsync(
            Path.GetTempPath(),
            null,
            "jobs", "--json", "--address", service, "--token-file", cluster.FileOf("coordinator", "/run/backprop/token"), "--authority", cluster.FileOf("coordinator", "/run/backprop/authority.pem"));
        outside.ExitCode.ShouldBe(0, outside.Errors);
        outside.Events.Select(found => found.GetProperty("jobId").GetString()).ShouldBe(["first", "second"]);
        var stranger = await BackpropProcess.RunAsync(
            Path.GetTempPath(),
            new Dictionary<string, string> { ["BACKPROP__TOKEN"] = "not-the-token-of-this-service" },
            "jobs", "--address", service, "--authority", cluster.FileOf("coordinator", "/run/backprop/authority.pem"));
        stranger.ExitCode.ShouldBe(ExitCode.Denied, stranger.Errors);

        string[] secrets =
        [
            (await File.ReadAllTextAsync(cluster.FileOf("coordinator", "/run/backprop/token"))).Trim(),
            (await File.ReadAllTextAsync(cluster.FileOf("coordinator", "/run/backprop/secret"))).Trim(),
            "Password=",
        ];
        foreach (var node in await cluster.DownAsync())
        {
            node.ExitCode.ShouldBe(0, node.Errors);
            foreach (var secret in secrets)
            {
                (node.Output + node.Errors).ShouldNotContain(secret);
            }
        }
    }

    private static JsonObject Coordinator(JsonObject file) => file["services"]!["coordinator"]!.AsObject();

    private static async Task<IReadOnlyList<string>> FaultsAsync(Action<JsonObject> change)
    {
        var schema = await JsonSchema.FromFileAsync(RepositoryRoot.File("tests/DistributedBackprop.Cli.Tests/Deployment/compose.schema.json"));
        var file = ComposeFile.Read();
        change(file);
        return [.. schema.Validate(file.ToJsonString()).Select(fault => fault.ToString())];
    }
}
