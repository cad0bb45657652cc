using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Cli.Node;
using DistributedBackprop.Cli.Output;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Cli.Train;

/// <summary>One run of <c>backprop train</c>, from the job file to the exit code.</summary>
internal static class TrainRun
{
    /// <exception cref="CommandException">The job, its data or its files are not what they must be.</exception>
    public static async Task<int> RunAsync(TrainOptions options)
    {
        var times = new StartupTimes();
        times.Mark("the program runs");
        if (options.Verbose)
        {
            await Console.Error.WriteLineAsync($"kernels on {HardwareSupport.Describe()}");
        }

        using var signal = new InterruptSignal();
        var job = JobLoading.Job(options.JobPath);
        times.Mark("job file read");

        // The actor system starts while the data is read.
        var starting = Task.Run(() => StartAsync(options, signal.Token));
        var graph = JobLoading.Graph(job);
        var data = JobLoading.Data(job, graph, options.DataFolder);
        times.Mark("data read");
        var init = options.InitPath is null ? null : InitialParameters.Read(options.InitPath, graph);
        var export = options.ExportPath is null ? null : new ExportFile(options.ExportPath);
        var run = new JobRun(JobIdentity.Of(job, data, init), job, graph, data, init?.Parameters)
        {
            IsForced = options.Force,
        };
        using var output = Output(options);
        await using var training = await UnlessCancelledAsync(starting, signal.Token);
        if (training is null)
        {
            output.End(new TrainingCancelled(run.Id, 0), null);
            return ExitCode.Interrupted;
        }

        times.Mark("actor system started");
        var description = Describe(run, options);
        output.Begin(description);
        using var result = await training.RunAsync(run, happened => On(happened, output, times), signal.Token);
        var outcome = export is null ? result.Outcome : Exported(result, export);
        var isAsked = options.Verbose || options.Nodes is not null;
        output.End(outcome, isAsked ? new RunStatistics(description, result.Generations) : null);
        if (options.Verbose)
        {
            foreach (var line in times.Lines())
            {
                await Console.Error.WriteLineAsync(line);
            }
        }

        return outcome switch
        {
            TrainingCompleted => ExitCode.Done,
            TrainingCancelled or TrainingPaused => ExitCode.Interrupted,
            _ => ExitCode.JobFailed,
        };
    }

    // Whoever asked for a file and does not get it must not hear that all is done.
    private static TrainingEvent Exported(TrainingResult result, ExportFile export)
    {
        if (result.Outcome is not TrainingCompleted completed)
        {
            return result.Outcome;
        }

        try
        {
            export.Write(result);
            return completed;
        }
        catch (CommandException e)
        {
            return new TrainingFailed(completed.JobId, completed.Steps, null, e.Message);
        }
    }

    private static async Task<ITrainer> StartAsync(TrainOptions options, CancellationToken cancellation)
    {
        // The settings of 'backprop node' are those of this process too: so nodes of other machines can join it.
        var configuration = NodeOptionsReader.Configuration(
            ".", options.OtlpEndpoint is { } endpoint ? [KeyValuePair.Create("OtlpEndpoint", (string?)endpoint)] : []);
        if (options.Nodes is not { } nodes)
        {
            var telemetry = NodeSettings.Read(() => NodeOptionsReader.ReadTelemetry(configuration));
            return await LocalTraining.StartAsync(options.ThreadsPerProcess, options.StateFolder, telemetry, cancellation);
        }

        var head = NodeSettings.Read(() => NodeOptionsReader.ReadHead(configuration));
        try
        {
            return await ClusterTraining.StartAsync(
                new ClusterTrainingOptions(nodes, options.ThreadsPerProcess, options.DataFolder)
                {
                    Head = head,
                    StateFolder = options.StateFolder,
                },
                Console.Error.WriteLine,
                cancellation);
        }
        catch (ClusterTrainingException e)
        {
            throw new CommandException(ExitCode.JobFailed, $"backprop: {e.Message}");
        }
    }

    private static async Task<ITrainer?> UnlessCancelledAsync(Task<ITrainer> starting, CancellationToken cancellation)
    {
        try
        {
            return await starting;
        }
        catch (StorageException e)
        {
            throw new CommandException(ExitCode.Invalid, $"backprop: --state: {e.Message}");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    private static ITrainingOutput Output(TrainOptions options) => options.Json
        ? new JsonOutput(Console.OpenStandardOutput(), options.JsonEvery)
        : new ConsoleOutput(Console.Out, Console.Error);

    private static RunDescription Describe(JobRun run, TrainOptions options) => new(
        run.Job,
        run.Graph,
        run.Data,
        new StepPlan(run.Job.Training, run.Data.Train.Count),
        StageCut.Of([.. run.Graph.Nodes.Select(node => node.Layer.WorkPerExample)], run.Job.Parallelism.Stages),
        options.ThreadsPerProcess,
        options.Nodes);

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
