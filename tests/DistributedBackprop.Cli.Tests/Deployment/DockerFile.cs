using System.Text.Json;
using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.House;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary><c>deploy/Dockerfile</c>, an instruction a line.</summary>
internal static class DockerFile
{
    public const string Program = "/app/backprop";

    public static IReadOnlyList<(string Word, string Text)> Instructions { get; } =
    [
        .. File.ReadAllText(RepositoryRoot.File("deploy/Dockerfile")).Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(' ', 2))
            .Select(parts => (parts[0], parts[1])),
    ];

    /// <summary>The command by which the image's containers are asked whether they are well, without the program.</summary>
    public static IReadOnlyList<string> HealthCheck
    {
        get
        {
            var rest = Instructions.Single(instruction => instruction.Word == "HEALTHCHECK").Text;
            var command = JsonSerializer.Deserialize<string[]>(Regex.Match(rest, @"CMD (\[.*\])").Groups[1].Value)!;
            command[0].ShouldBe(Program);
            return command[1..];
        }
    }

    /// <summary>The arguments of the last instruction of a kind.</summary>
    public static string Last(string word) => Instructions.Last(instruction => instruction.Word == word).Text;
}
