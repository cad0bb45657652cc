using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace DistributedBackprop.Cli.Tests.House;

/// <summary>Dependencies point one way.</summary>
public sealed class ArrowTests
{
    private static readonly Dictionary<string, string[]> _allowed = new()
    {
        ["Training"] = [],
        ["Actors"] = ["Training"],
        ["Protocol"] = [],
        ["Server"] = ["Actors", "Protocol"],
        ["Simulation"] = ["Actors"],
        ["Cli"] = ["Protocol", "Server", "Simulation"],
    };

    [Fact]
    public void Projects_refer_only_to_what_they_may()
    {
        var projects = Directory.GetFiles(RepositoryRoot.File("src"), "*.csproj", SearchOption.AllDirectories);
        projects.ShouldNotBeEmpty();
        foreach (var project in projects)
        {
            var name = NameOf(project);
            _allowed.Keys.ShouldContain(name);
            foreach (var reference in XDocument.Load(project).Descendants("ProjectReference"))
            {
                _allowed[name].ShouldContain(NameOf((string)reference.Attribute("Include")!), $"{name} must not refer to it");
            }
        }
    }

    [Fact]
    public void Training_knows_no_actors() =>
        typeof(Training.Tensors.Tensor).Assembly.GetReferencedAssemblies()
            .ShouldNotContain(assembly => assembly.Name!.StartsWith("Akka", StringComparison.Ordinal));

    [Theory]
    [InlineData("Tensors")]
    [InlineData("Pipeline", "Jobs", "Tensors")]
    [InlineData("Data", "Jobs", "Tensors")]
    [InlineData("Optimizers", "Jobs", "Tensors")]
    [InlineData("ChainRule", "Jobs", "Tensors")]
    [InlineData("Averaging", "ChainRule", "Data", "Jobs", "Optimizers", "Tensors")]
    [InlineData("Explain", "ChainRule", "Jobs", "Tensors")]
    public void Folders_of_training_use_only_what_lies_below_them(string folder, params string[] below)
    {
        var used = Directory.GetFiles(RepositoryRoot.File($"src/DistributedBackprop.Training/{folder}"), "*.cs")
            .SelectMany(file => Regex.Matches(File.ReadAllText(file), @"using DistributedBackprop\.Training\.(\w+)"))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .Order();
        used.Except([folder]).ShouldBeSubsetOf(below);
    }

    private static string NameOf(string project) =>
        Path.GetFileNameWithoutExtension(project.Replace('\\', '/')).Replace("DistributedBackprop.", "", StringComparison.Ordinal);
}
