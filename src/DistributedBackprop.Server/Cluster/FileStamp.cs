using System.Collections.Immutable;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// What shows that a file was replaced or written, without reading it: also where one of its length was put in its place with
/// its time kept, as copies do.
/// </summary>
/// <param name="Path">Where it lies, with no links left.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Written">When it was written last.</param>
/// <param name="Identity">Which it is.</param>
internal sealed record FileStamp(string Path, long Length, DateTime Written, FileIdentity Identity)
{
    /// <summary>Those of the files of a job; none where its data are generated.</summary>
    /// <param name="source">What the job says about its data.</param>
    /// <param name="folder">The folder below which they lie.</param>
    /// <exception cref="DataException">There is no such file, or it leads out of the folder.</exception>
    public static ImmutableArray<FileStamp> OfAll(DataSource source, string folder) => source is not IdxData idx
        ? []
        : [.. new[] { idx.Train, idx.Test }.OfType<IdxFiles>().SelectMany(pair => new[] { pair.Features, pair.Labels })
            .Select(path => Of(new DataRoot(folder), path))];

    private static FileStamp Of(DataRoot root, string path)
    {
        var file = new FileInfo(root.Resolve(path));
        return new FileStamp(file.FullName, file.Length, file.LastWriteTimeUtc, FileIdentity.Of(file.FullName));
    }
}
