using System.Globalization;
using System.Text.Json;
using DistributedBackprop.Cli.Output;
using DistributedBackprop.Protocol;

namespace DistributedBackprop.Cli.Service;

/// <summary>What commands print: a JSON object a line for programs, else lines for people.</summary>
/// <param name="isJson">Whether for programs.</param>
internal sealed class ServiceOutput(bool isJson)
{
    private readonly Stream _json = isJson ? Console.OpenStandardOutput() : Stream.Null;

    /// <summary>Whether for programs.</summary>
    public bool IsJson => isJson;

    /// <summary>Prints one thing.</summary>
    /// <param name="json">Writes its properties.</param>
    /// <param name="line">For people; null for nothing.</param>
    public void Print(Action<Utf8JsonWriter> json, FormattableString? line)
    {
        if (isJson)
        {
            JsonLine.Write(_json, json);
        }
        else if (line is not null)
        {
            Console.Out.WriteLine(line.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Prints a job.</summary>
    public void Print(Job job) => Print(json => Write(json, job), LineOf(job));

    private static FormattableString LineOf(Job job)
    {
        var steps = job.TotalSteps > 0 ? FormattableString.Invariant($"{job.Step}/{job.TotalSteps}") : "-";
        var loss = job.HasLoss ? FormattableString.Invariant($"{job.Loss:G4}") : "-";
        var reason = job.Position > 0 ? FormattableString.Invariant($"number {job.Position} in the queue: {job.Reason}") : job.Reason;
        return $"{job.Id,-24} {Word(job.State),-10} {steps,-14} {loss,-10} {(job.WeightsSha256.Length > 0 ? job.WeightsSha256[..12] : reason)}";
    }

    private static void Write(Utf8JsonWriter json, Job job)
    {
        json.WriteString("jobId", job.Id);
        json.WriteString("name", job.Name);
        json.WriteString("state", Word(job.State));
        json.WriteString("reason", job.Reason);
        json.WriteNumber("position", job.Position);
        json.WriteNumber("step", job.Step);
        json.WriteNumber("totalSteps", job.TotalSteps);
        json.WriteNumber("epoch", job.Epoch);
        if (job.HasLoss && double.IsFinite(job.Loss))
        {
            json.WriteNumber("loss", job.Loss);
        }
        else
        {
            json.WriteNull("loss");
        }

        json.WriteNumber("lastEvent", job.LastEvent);
        json.WriteString("dataRoot", job.DataRoot);
        json.WriteNumber("threads", job.Threads);
        if (job.WeightsSha256.Length > 0)
        {
            json.WriteString("weightsSha256", job.WeightsSha256);
        }
    }

    private static string Word(JobState state) => state.ToString().ToLowerInvariant();
}
