using Akka.TestKit.Xunit2;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Jobs;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Tests.Cluster;

/// <summary>A node keeps the data of its newest job, as long as its files are those.</summary>
public sealed class FileDataTests : TestKit, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("backprop-data-").FullName;
    private readonly FileData _data;

    public FileDataTests()
    {
        Write("x", 3, 7);
        Write("y", 1, 1);
        _data = new FileData(DataRoots.Of(_folder));
    }

    void IDisposable.Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        Shutdown();
    }

    [Fact]
    public void Files_that_are_the_same_are_read_once()
    {
        var first = Load();
        Load().ShouldBeSameAs(first);

        // Also for two that ask at once.
        _data.Load(JobOf(), TestActor);
        _data.Load(JobOf(), TestActor);
        ExpectMsg<DataLoaded>().Data.ShouldBeSameAs(first);
        ExpectMsg<DataLoaded>().Data.ShouldBeSameAs(first);
    }

    [Fact]
    public void A_file_that_was_written_since_is_read_again()
    {
        var first = Load();
        Write("x", 3, 8);
        Load().Fingerprint.ShouldNotBe(first.Fingerprint);
        Write("x", 3, 7);
        Load().Fingerprint.ShouldBe(first.Fingerprint);
    }

    [Fact]
    public void A_file_put_in_the_place_of_another_is_read_though_it_has_its_length_and_time()
    {
        var first = Load();
        var time = File.GetLastWriteTimeUtc(At("x"));
        Write("new", 3, 9);
        File.SetLastWriteTimeUtc(At("new"), time);
        File.Move(At("new"), At("x"), overwrite: true);
        Load().Fingerprint.ShouldNotBe(first.Fingerprint);
    }

    [Fact]
    public void A_file_that_was_missing_is_found_once_it_is_there()
    {
        File.Move(At("x"), At("elsewhere"));
        _data.Load(JobOf(), TestActor);
        ExpectMsg<DataLoaded>().Error.ShouldNotBeNull().ShouldContain("there is no file");
        File.Move(At("elsewhere"), At("x"));
        Load().Train.Count.ShouldBe(4);
    }

    private DataSet Load()
    {
        _data.Load(JobOf(), TestActor);
        return ExpectMsg<DataLoaded>(TimeSpan.FromSeconds(30)).Data.ShouldNotBeNull();
    }

    private static TrainingJob JobOf() => JobFile.Parse("job.yaml", """
        name: files
        data: { format: idx, train: { features: x, labels: y } }
        model: { input: [2], layers: [ dense: { units: 2 } ] }
        loss: softmaxCrossEntropy
        optimizer: { sgd: { learningRate: 0.1 } }
        training: { batchSize: 2, epochs: 1 }
        """).Job.ShouldNotBeNull();

    private string At(string name) => Path.Combine(_folder, name);

    // Four examples of two bytes, or four labels: the format of LeCun's files.
    private void Write(string name, byte axes, byte value) => File.WriteAllBytes(
        At(name),
        axes == 1
            ? [0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1]
            : [0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, value, 2, 3, 4, 5, 6, 7, 8]);
}
