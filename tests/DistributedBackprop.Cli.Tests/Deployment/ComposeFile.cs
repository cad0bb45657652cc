using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.House;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>A service of <c>docker-compose.yml</c>.</summary>
internal sealed record ComposeService(string Name, JsonObject Text)
{
    public string Image => (string)Text["image"]!;

    public IReadOnlyList<string> Command => [.. Strings("command")];

    public IReadOnlyDictionary<string, string> Environment => (Text["environment"]?.AsObject() ?? [])
        .ToDictionary(pair => pair.Key, pair => pair.Value!.ToString());

    /// <summary>What is mounted where: a path of the repository (with a slash) or a volume, and a path inside.</summary>
    public IReadOnlyList<(string Source, string Target)> Volumes =>
        [.. Strings("volumes").Select(text => text.Split(':')).Select(parts => (parts[0], parts[1]))];

    /// <summary>Which services come first, and what of them.</summary>
    public IReadOnlyDictionary<string, string> DependsOn => (Text["depends_on"]?.AsObject() ?? [])
        .ToDictionary(pair => pair.Key, pair => (string)pair.Value!["condition"]!);

    /// <summary>The command of its own health check; null where the image's counts.</summary>
    public IReadOnlyList<string>? HealthCheck => Text["healthcheck"]?["test"]?.AsArray().Select(word => (string)word!).Skip(1).ToList();

    /// <summary>The ports that are reached from outside.</summary>
    public IReadOnlyList<string> Ports => [.. Strings("ports")];

    private IEnumerable<string> Strings(string key) => Text[key]?.AsArray().Select(item => (string)item!) ?? [];
}

/// <summary><c>docker-compose.yml</c> as Compose reads it: anchors merged, variables put in.</summary>
internal static class ComposeFile
{
    public static JsonObject Read() => Read(File.ReadAllText(RepositoryRoot.File("docker-compose.yml")));

    public static JsonObject Read(string text)
    {
        var known = Regex.Replace(text, @"\$\{(\w+)(?::-([^}]*))?\}", match => match.Groups[2].Value);
        var yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build()
            .Deserialize<object>(new MergingParser(new Parser(new StringReader(known))))!;
        return JsonNode.Parse(new SerializerBuilder().JsonCompatible().Build().Serialize(yaml))!.AsObject();
    }

    /// <summary>Its services, each after those it depends on.</summary>
    public static IReadOnlyList<ComposeService> Services()
    {
        var all = Read()["services"]!.AsObject().Select(pair => new ComposeService(pair.Key, pair.Value!.AsObject())).ToList();
        var ordered = new List<ComposeService>();
        while (ordered.Count < all.Count)
        {
            var next = all.Except(ordered).Where(service => service.DependsOn.Keys.All(name => ordered.Exists(known => known.Name == name))).ToList();
            next.ShouldNotBeEmpty("the services depend on each other in a ring, or on one that is not there");
            ordered.AddRange(next);
        }

        return ordered;
    }
}
