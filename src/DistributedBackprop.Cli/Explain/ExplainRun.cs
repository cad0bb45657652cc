using System.Collections.Immutable;
using System.Globalization;
using DistributedBackprop.Actors.Explain;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Cli.Output;
using DistributedBackprop.Cli.Train;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Explain;

namespace DistributedBackprop.Cli.Explain;

/// <summary>One run of <c>backprop explain</c>, from the job file to the exit code.</summary>
internal static class ExplainRun
{
    /// <exception cref="CommandException">The job, its data or its files are not what they must be, or there is no such example.</exception>
    public static async Task<int> RunAsync(ExplainOptions options)
    {
        using var signal = new InterruptSignal();
        var job = JobLoading.Job(options.JobPath);

        // The actor system starts while the data is read.
        var starting = Task.Run(() => LocalTraining.StartAsync(Environment.ProcessorCount, signal.Token));
        var graph = JobLoading.Graph(job);
        var data = JobLoading.Data(job, graph, options.DataFolder);
        var init = options.InitPath is null ? null : InitialParameters.Read(options.InitPath, graph);
        var run = new JobRun("explain", job, graph, data, init?.Parameters);
        Check(options, run);
        var page = options.HtmlPath is null ? null : new PageFile(options.HtmlPath);
        try
        {
            await using var node = await starting;
            if (options is { Step: > 0, Json: false })
            {
                await Console.Error.WriteLineAsync($"{job.Name}: trains {Words.Steps(options.Step)} first");
            }

            var order = new ExplainOrder(run, options.Step, Watched(options, run));
            switch (await node.ExplainAsync(order, signal.Token))
            {
                case Explained explained:
                    var shown = new ExplainedRun(
                        run,
                        options.Example,
                        options.Step,
                        new Explanation(job, options.Step + 1, explained.Passes[0]),
                        options.Examples is null ? null : explained.Passes[1]);
                    await ShowAsync(options, shown, page, signal.Token);
                    return ExitCode.Done;
                case JobEndsBefore end:
                    Within("--step", options.Step, 0, end.Step, string.Create(
                        CultureInfo.InvariantCulture, $"what stopWhen names is met after step {end.Step}, and the job ends there"));
                    throw new InvalidOperationException($"The job ends at step {end.Step}, which is not before {options.Step}.");
                case NotExplained failed:
                    throw new CommandException(ExitCode.JobFailed, string.Create(
                        CultureInfo.InvariantCulture,
                        $"failed at step {failed.Step}{(failed.Layer is null ? "" : $" in layer {failed.Layer}")}: {failed.Reason}"));
                case var other:
                    throw new InvalidOperationException($"An unexpected answer: {other}.");
            }
        }
        catch (OperationCanceledException) when (signal.Token.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    private static ImmutableArray<JobRun> Watched(ExplainOptions options, JobRun run)
    {
        var one = WatchedRun.Of(run, options.Example, 1);
        return options.Examples is { } count ? [one, WatchedRun.Of(run, options.Example, count)] : [one];
    }

    private static void Check(ExplainOptions options, JobRun run)
    {
        var examples = run.Data.Train.Count;
        Within("--example", options.Example, 0, examples - 1, $"the job has {examples} training examples");
        Within("--examples", options.Examples ?? 1, 1, examples - options.Example, $"there are so many from example {options.Example} on");
        Within("--step", options.Step, 0, new StepPlan(run.Job.Training, examples).TotalSteps, "the job has so many steps");
    }

    private static void Within(string name, long value, long least, long most, string why)
    {
        if (value < least || value > most)
        {
            throw new CommandException(
                ExitCode.Invalid, string.Create(CultureInfo.InvariantCulture, $"{name} must be {least} … {most} (was {value}): {why}"));
        }
    }

    private static async Task ShowAsync(ExplainOptions options, ExplainedRun explained, PageFile? page, CancellationToken cancellation)
    {
        if (options.Json)
        {
            await using var output = Console.OpenStandardOutput();
            new ExplainEvents(explained).WriteAll(@event => JsonLine.Write(output, @event));
        }

        page?.Write(explained);
        if (page is not null && !options.Json)
        {
            await Console.Error.WriteLineAsync($"{options.HtmlPath}: open it in a browser; the arrow keys go forward and back");
        }

        if (page is null && !options.Json)
        {
            await new Walk(explained, options.Pause).ShowAsync(cancellation);
        }
    }
}
