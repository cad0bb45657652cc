using DistributedBackprop.Training.Data;

namespace DistributedBackprop.Training.Tests.Data;

public sealed class DataRootTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("data-root-").FullName;
    private readonly string _root;

    public DataRootTests()
    {
        _root = Path.Combine(_folder, "root");
        Directory.CreateDirectory(Path.Combine(_root, "sub"));
        Directory.CreateDirectory(Path.Combine(_folder, "rootless"));
        File.WriteAllText(Path.Combine(_root, "sub", "a.idx"), "a");
        File.WriteAllText(Path.Combine(_folder, "secret"), "s");
        File.WriteAllText(Path.Combine(_folder, "rootless", "secret"), "s");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("sub/a.idx")]
    [InlineData("./sub/../sub/a.idx")]
    public void A_file_below_the_root_is_found(string relative) =>
        File.ReadAllText(new DataRoot(_root).Resolve(relative)).ShouldBe("a");

    [Fact]
    public void Links_may_lead_anywhere_within_and_the_root_may_be_one()
    {
        File.CreateSymbolicLink(Path.Combine(_root, "link"), Path.Combine(_root, "sub", "a.idx"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "sub", "up"), "..");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "alias"), _root);

        new DataRoot(_root).Resolve("link").ShouldBe(new DataRoot(_root).Resolve("sub/a.idx"));
        File.ReadAllText(new DataRoot(_root).Resolve("sub/up/sub/a.idx")).ShouldBe("a");
        File.ReadAllText(new DataRoot(Path.Combine(_folder, "alias")).Resolve("link")).ShouldBe("a");
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("../rootless/secret")]
    [InlineData("sub/../../secret")]
    [InlineData("to-file")]
    [InlineData("to-folder/secret")]
    [InlineData("two-hops")]
    [InlineData("..")]
    public void What_leads_out_is_refused(string relative)
    {
        File.CreateSymbolicLink(Path.Combine(_root, "to-file"), "../secret");
        Directory.CreateSymbolicLink(Path.Combine(_root, "to-folder"), _folder);
        File.CreateSymbolicLink(Path.Combine(_root, "two-hops"), "to-file");

        Should.Throw<DataException>(() => new DataRoot(_root).Resolve(relative)).Message.ShouldContain("leads out");
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("a\0b")]
    public void What_is_no_relative_path_is_refused(string relative) =>
        Should.Throw<DataException>(() => new DataRoot(_root).Resolve(relative)).Message.ShouldContain("no relative path");

    [Fact]
    public void Links_in_a_circle_are_refused()
    {
        File.CreateSymbolicLink(Path.Combine(_root, "one"), "two");
        File.CreateSymbolicLink(Path.Combine(_root, "two"), "one");
        Should.Throw<DataException>(() => new DataRoot(_root).Resolve("one")).Message.ShouldContain("links");
    }

    [Fact]
    public void What_is_not_there_is_named_in_full()
    {
        Should.Throw<DataException>(() => new DataRoot(_root).Resolve("sub/b.idx")).Message
            .ShouldContain(Path.Combine(_root, "sub", "b.idx"));
        Should.Throw<DataException>(() => new DataRoot(_root).Resolve("sub")).Message.ShouldContain("is a folder");
        Should.Throw<DataException>(() => new DataRoot(Path.Combine(_folder, "none"))).Message.ShouldContain("no folder");
    }
}
