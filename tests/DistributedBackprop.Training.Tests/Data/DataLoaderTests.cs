using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Data;

public sealed class DataLoaderTests : IDisposable
{
    private static readonly IdxFiles _train = new("train.idx", "train-labels.idx");
    private static readonly IdxFiles _test = new("test.idx", "test-labels.idx");

    private readonly string _folder = Directory.CreateTempSubdirectory("data-loader-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_pair_of_pairs_is_loaded()
    {
        Write(_train, IdxBytes.Of(0x08, [2, 2], 1, 2, 3, 4), IdxBytes.Of(0x08, [2], 0, 2));
        Write(_test, IdxBytes.Gzip(IdxBytes.Of(0x08, [1, 2], 9, 8)), IdxBytes.Of(0x08, [1], 1));

        var data = DataLoader.Load(new IdxData(_train, _test) { Scale = 0.1 }, 0, _folder, 3);
        data.Train.Count.ShouldBe(2);
        data.Test!.Count.ShouldBe(1);
        data.Classes.ShouldBe(3);
        data.Factor.ShouldBe(0.1f);
        DataLoader.Load(new IdxData(_train, null), 0, _folder, null).Test.ShouldBeNull();
    }

    [Fact]
    public void What_does_not_fit_together_is_refused()
    {
        Write(_train, IdxBytes.Of(0x08, [2, 2], 1, 2, 3, 4), IdxBytes.Of(0x08, [2], 0, 2));
        Write(_test, IdxBytes.Of(0x08, [2, 1], 1, 2), IdxBytes.Of(0x08, [2], 0, 2));

        Refused(new IdxData(_train, _test), null).ShouldStartWith("test.idx: has examples of shape [1]");
        Refused(new IdxData(_train, null), 2).ShouldStartWith("train-labels.idx: byte 9: label 2");
        Refused(new IdxData(new("../x", "y"), null), 2).ShouldContain("leads out");
        Refused(new IdxData(new("none.idx", "y"), null), 2).ShouldContain(Path.Combine(_folder, "none.idx"));
        Refused(new DigitsData(10, 0), 9).ShouldContain("labels up to 9");
        Refused(new SpiralsData(10, 0, Classes: 4), 3).ShouldContain("labels up to 3");
    }

    [SkippableFact]
    public void The_mnist_subset_is_read()
    {
        var folder = FindUpwards(Path.Combine("shared", "data", "mnist10k"));
        Skip.If(folder is null, "shared/data/mnist10k is in no folder above");
        var data = DataLoader.Load(
            new IdxData(
                new("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
                new("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")),
            0, folder!, 10);

        data.Train.Count.ShouldBe(8000);
        data.Test!.Count.ShouldBe(2000);
        data.Train.Shape.ShouldBe(new Shape(28, 28));
        data.Train.Labels.ToArray().Distinct().Order().ShouldBe(Enumerable.Range(0, 10));
        data.Test.Labels.ToArray().Distinct().Order().ShouldBe(Enumerable.Range(0, 10));
    }

    private static string? FindUpwards(string relative)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, relative);
            if (Directory.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    private void Write(IdxFiles files, byte[] features, byte[] labels)
    {
        File.WriteAllBytes(Path.Combine(_folder, files.Features), features);
        File.WriteAllBytes(Path.Combine(_folder, files.Labels), labels);
    }

    private string Refused(DataSource source, int? classes) =>
        Should.Throw<DataException>(() => DataLoader.Load(source, 0, _folder, classes)).Message;
}
