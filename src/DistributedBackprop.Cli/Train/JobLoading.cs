using System.Globalization;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Train;

/// <summary>Reads a job and its data; what is wrong with them ends the command with words and a code.</summary>
internal static class JobLoading
{
    private const int ErrorsTold = 50;
    private const double Mebibyte = 1 << 20;

    /// <exception cref="CommandException">There is no such file, or the job is not valid.</exception>
    public static TrainingJob Job(string path)
    {
        var job = Parsed(path);
        CheckMemory(path, job);
        return job;
    }

    /// <summary>A job that somebody else is to run.</summary>
    /// <exception cref="CommandException">There is no such file, or the job is not valid.</exception>
    public static TrainingJob Parsed(string path) => Read(path, () =>
    {
        var result = JobFile.Read(path);
        return result.Job ?? throw new CommandException(ExitCode.Invalid, Told(result.Errors));
    });

    /// <summary>The text of a job file, whatever it is.</summary>
    /// <exception cref="CommandException">There is no such file.</exception>
    public static string Text(string path) => Read(path, () => new FileInfo(path).Length <= JobFile.MaxLength
        ? File.ReadAllText(path)
        : throw new CommandException(ExitCode.Invalid, $"{path}:1:1 a job file may have at most {JobFile.MaxLength} bytes"));

    private static T Read<T>(string path, Func<T> read)
    {
        if (!File.Exists(path))
        {
            throw new CommandException(
                ExitCode.NotFound,
                Directory.Exists(path) ? $"{path}: is a folder, not a job file" : $"{path}: there is no such job file");
        }

        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Invalid, $"{path}: cannot be read: {e.Message}");
        }
    }

    /// <exception cref="CommandException">A layer is too large for any machine.</exception>
    public static Graph Graph(TrainingJob job)
    {
        try
        {
            return Training.ChainRule.Graph.Of(job.Model, job.Seed);
        }
        catch (OverflowException)
        {
            throw new CommandException(ExitCode.Invalid, "model: a layer has more parameters than one array can hold");
        }
    }

    /// <exception cref="CommandException">A file is not there or not what it must be, or does not fit the network.</exception>
    public static DataSet Data(TrainingJob job, Graph graph, string dataRoot)
    {
        try
        {
            var data = DataLoader.Load(job, graph.Output, dataRoot);
            CheckShape(data.Train, graph);
            return data;
        }
        catch (DataException e)
        {
            throw new CommandException(e.IsNotFound ? ExitCode.NotFound : ExitCode.Invalid, e.Message);
        }
    }

    // Found out now, in words, rather than by the system that ends the process when the memory is gone.
    private static void CheckMemory(string path, TrainingJob job)
    {
        var needed = MemoryNeed.Bytes(job);
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (needed > available)
        {
            throw new CommandException(ExitCode.Invalid, string.Create(
                CultureInfo.InvariantCulture,
                $"{path}: the job needs about {needed / Mebibyte:N0} MiB of memory, and this machine has {available / Mebibyte:N0}: fewer replicas, units or examples need less"));
        }
    }

    // A file of nothing but errors is told in so many lines that they still can be read.
    private static string[] Told(IReadOnlyList<JobError> errors) =>
    [
        .. errors.Take(ErrorsTold).Select(error => error.ToString()),
        .. errors.Count > ErrorsTold ? [$"and {errors.Count - ErrorsTold} more errors"] : Array.Empty<string>(),
    ];

    private static void CheckShape(Examples examples, Graph graph)
    {
        if (examples.Shape.Length != graph.Input.Length)
        {
            throw new CommandException(
                ExitCode.Invalid,
                $"model.input: an example of the data is {examples.Shape} ({examples.Shape.Length} numbers), but the model takes {graph.Input} ({graph.Input.Length})");
        }
    }
}
