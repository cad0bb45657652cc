using System.Text.Json;

namespace DistributedBackprop.Cli.Tests.Running;

/// <summary>What a process left behind.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">All of standard output.</param>
/// <param name="Errors">All of standard error.</param>
internal sealed record Finished(int ExitCode, string Output, string Errors)
{
    /// <summary>Standard output as events: a JSON object in each line, and nothing else.</summary>
    public IReadOnlyList<JsonElement> Events
    {
        get
        {
            Output.ShouldEndWith("\n", Case.Sensitive, Errors);
            return [.. Output[..^1].Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        }
    }

    /// <summary>The last event.</summary>
    public JsonElement Last => Events[^1];

    /// <summary>The hash of the weights of a run with <c>--json</c> that completed.</summary>
    public string Sha256
    {
        get
        {
            ExitCode.ShouldBe(0, Errors);
            Last.Word().ShouldBe("completed");
            return Last.GetProperty("weightsSha256").GetString()!;
        }
    }
}

/// <summary>Reads events.</summary>
internal static class EventReading
{
    /// <summary>Which event it is.</summary>
    public static string Word(this JsonElement happened) => happened.GetProperty("event").GetString()!;
}
