namespace DistributedBackprop.Cli.Tests.House;

/// <summary>Data sets that lie beside the repository, where they are there at all.</summary>
internal static class SharedData
{
    /// <summary>The folder <c>shared/data/NAME</c> in the repository or a folder above it; null where there is none.</summary>
    public static string? FolderOf(string name)
    {
        for (var folder = new DirectoryInfo(RepositoryRoot.Path); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "shared", "data", name);
            if (Directory.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
