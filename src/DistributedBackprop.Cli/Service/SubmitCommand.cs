using System.CommandLine;
using System.Security.Cryptography;
using DistributedBackprop.Cli.Train;
using DistributedBackprop.Protocol;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop submit JOB</c>: hands a job in.</summary>
internal static class SubmitCommand
{
    private const int SuffixDigits = 8;

    public static Command Create()
    {
        var path = new Argument<string>("JOB") { Description = "The job file (YAML or JSON)." };
        var id = new Option<string?>("--id") { Description = "Names the job for good; handing it in again under the same id changes nothing. Default: its name and random digits.", HelpName = "ID" };
        var root = new Option<string?>("--data-root") { Description = "The data root of the nodes below which its files lie, by its name. Default: default.", HelpName = "NAME" };
        var watch = new Option<bool>("--watch") { Description = "Watch it to its end; the exit code is the job's." };
        var every = WatchCommand.JsonEvery();
        return ServiceCommand.With(
            new Command("submit", "Hand a job in to a service.") { path, id, root, watch, every },
            async (parsed, connection, output, cancellation) =>
            {
                var request = new SubmitRequest
                {
                    Document = Read(parsed.GetValue(path)!, out var name),
                    FileName = parsed.GetValue(path),
                    DataRoot = parsed.GetValue(root) ?? "",
                };

                // Chosen here: a call that is made twice hands in one job.
                request.Id = parsed.GetValue(id) ?? $"{name}-{RandomNumberGenerator.GetHexString(SuffixDigits, lowercase: true)}";
                var job = await connection.Training.SubmitAsync(request, connection.Options(ServiceCommand.Soon, cancellation));
                if (!parsed.GetValue(watch))
                {
                    output.Print(job);
                    return ExitCode.Done;
                }

                await Console.Error.WriteLineAsync($"{job.Id} is handed in");
                return await new JobWatching(connection, output, parsed.GetValue(every)).RunAsync(job.Id, 0, cancellation);
            });
    }

    // What is wrong with it the service says, in the same words as here.
    private static string Read(string path, out string name)
    {
        var job = JobLoading.Parsed(path);
        name = job.Name;
        return JobLoading.Text(path);
    }
}
