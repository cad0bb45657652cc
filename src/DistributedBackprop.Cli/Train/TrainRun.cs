using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Cli.Output;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Cli.Train;

/// <summary>One run of <c>backprop train</c>, from the job file to the exit code.</summary>
internal static class TrainRun
{
    /// <exception cref="CommandException">The job, its data or its files are not what they must be.</exception>
    public static async Task<int> RunAsync(TrainOptions options)
    {
        var times = new StartupTimes();
        times.Mark("the program runs");
        using var signal = new InterruptSignal();
        var job = JobLoading.Job(options.JobPath);
        times.Mark("job file read");

        // The actor system starts while the data is read.
        var starting = Task.Run(() => LocalTraining.StartAsync(options.Threads));
        var graph = Graph.Of(job.Model, job.Seed);
        var data = JobLoading.Data(job, graph, options.DataRoot ?? FolderOf(options.JobPath));
        times.Mark("data read");
        var init = options.InitPath is null ? null : InitialParameters.Read(options.InitPath, graph);
        var export = options.ExportPath is null ? null : new ExportFile(options.ExportPath);
        await using var training = await starting;
        times.Mark("actor system started");

        var run = new JobRun(JobIdentity.Of(job, data, init), job, graph, data, init?.Parameters);
        using var output = Output(options);
        output.Begin(Describe(run, options));
        using var result = await training.RunAsync(run, happened => On(happened, output, times), signal.Token);
        if (result.Outcome is TrainingCompleted)
        {
            export?.Write(result);
        }

        output.On(result.Outcome);
        if (options.Verbose)
        {
            foreach (var line in times.Lines())
            {
                await Console.Error.WriteLineAsync(line);
            }
        }

        return result.Outcome switch
        {
            TrainingCompleted => ExitCode.Done,
            TrainingCancelled => ExitCode.Interrupted,
            _ => ExitCode.JobFailed,
        };
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;

    private static ITrainingOutput Output(TrainOptions options) => options.Json
        ? new JsonOutput(Console.OpenStandardOutput(), options.JsonEvery)
        : new ConsoleOutput(Console.Out, Console.Error);

    private static RunDescription Describe(JobRun run, TrainOptions options) => new(
        run.Job,
        run.Graph,
        run.Data,
        new StepPlan(run.Job.Training, run.Data.Train.Count),
        StageCut.Of([.. run.Graph.Nodes.Select(node => node.Layer.WorkPerExample)], run.Job.Parallelism.Stages),
        options.Threads);

    private static void On(TrainingEvent happened, ITrainingOutput output, StartupTimes times)
    {
        if (happened is TrainingStarted)
        {
            times.Mark("layers connected");
        }
        else if (happened is StepDone { Step: 1 })
        {
            times.Mark("first step judged");
        }

        output.On(happened);
    }
}
