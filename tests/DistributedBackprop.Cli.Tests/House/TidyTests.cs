using System.Text.RegularExpressions;

namespace DistributedBackprop.Cli.Tests.House;

/// <summary>The repository itself is under test.</summary>
public sealed class TidyTests
{
    private const int LinesMax = 400;

    private static readonly string[] _sayNothing = ["Manager", "Engine", "Helper", "Utils", "Common", "Core", "Misc"];

    [Fact]
    public void No_type_has_a_name_that_says_nothing()
    {
        Type[] anchors =
        [
            typeof(Training.Tensors.Tensor), typeof(Actors.Pipeline.LayerActor), typeof(Server.Local.LocalTraining), typeof(ExitCode),
        ];
        anchors.SelectMany(anchor => anchor.Assembly.GetTypes())
            .Where(type => type.Namespace?.StartsWith("DistributedBackprop", StringComparison.Ordinal) == true)
            .Where(type => _sayNothing.Any(word => type.Name.Contains(word, StringComparison.Ordinal)))
            .Select(type => type.FullName)
            .ShouldBeEmpty();
    }

    [Fact]
    public void A_file_holds_one_concept() => Sources()
        .Where(file => File.ReadLines(file).Count() > LinesMax)
        .ShouldBeEmpty();

    [Fact]
    public void A_folder_is_its_namespace() => Sources()
        .Where(file => file.Contains("/src/", StringComparison.Ordinal))
        .Where(file =>
        {
            var match = Regex.Match(File.ReadAllText(file), @"^namespace ([\w.]+);", RegexOptions.Multiline);
            var folder = Path.GetDirectoryName(Path.GetRelativePath(RepositoryRoot.File("src"), file))!.Replace('/', '.');
            return match.Success && match.Groups[1].Value != folder;
        })
        .ShouldBeEmpty();

    [Fact]
    public void Nothing_is_left_unfinished()
    {
        // Put together here, so that this file does not find itself.
        var unfinished = new Regex(string.Join('|', "NotImplemented" + "Exception", @"\bTO" + @"DO\b", @"\bFIX" + @"ME\b"));
        Sources().Where(file => unfinished.IsMatch(File.ReadAllText(file))).ShouldBeEmpty();
    }

    [Fact]
    public void The_top_level_holds_what_was_agreed()
    {
        string[] agreed =
        [
            "src", "tests", "deploy", "protos", "DistributedBackprop.sln", "docker-compose.yml", "README.md",
            "Directory.Build.props", "Directory.Packages.props", "global.json", "LICENSE",
        ];
        Directory.GetFileSystemEntries(RepositoryRoot.Path)
            .Select(entry => Path.GetFileName(entry))
            .Where(name => !name.StartsWith('.') && name is not ("bin" or "obj" or "TestResults" or "artifacts"))
            .ShouldBeSubsetOf(agreed);
    }

    private static IEnumerable<string> Sources() =>
        from top in new[] { "src", "tests" }
        from file in Directory.GetFiles(RepositoryRoot.File(top), "*.cs", SearchOption.AllDirectories)
        where !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)
        select file;
}
