using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.SameBits;

/// <summary>Example jobs made short, with what may vary written out.</summary>
internal static class ShortJob
{
    /// <summary>The example with fewer examples and epochs, and as it is otherwise.</summary>
    public static string Of(CommandFolder folder, string example) => folder.Job(example, Shortening(example));

    /// <summary>The short example, cut in another way.</summary>
    /// <remarks>The number of replicas stays: it is part of what is computed.</remarks>
    public static string Of(CommandFolder folder, string example, int stages, string schedule, int microBatches) =>
        folder.Job(example, [.. Shortening(example), .. Cut(example, stages, schedule, microBatches)]);

    private static (string, string)[] Shortening(string example) => example switch
    {
        "digits" => [("examples: 8000", "examples: 1000"), ("examples: 2000", "examples: 300"), ("epochs: 10", "epochs: 2")],
        "residual" => [("examples: 4000", "examples: 1000"), ("test: { examples: 1000 }", "test: { examples: 300 }"), ("epochs: 8", "epochs: 2")],
        _ => throw new ArgumentOutOfRangeException(nameof(example), example, "No such short job."),
    };

    private static (string, string)[] Cut(string example, int stages, string schedule, int microBatches) => example switch
    {
        "digits" =>
        [
            ("batchSize: 128", $"microBatches: {microBatches}\n  batchSize: 128"),
            ("training:\n", $"parallelism: {{ stages: {stages}, schedule: {schedule} }}\ntraining:\n"),
        ],
        _ =>
        [
            ("microBatches: 4", $"microBatches: {microBatches}"),
            ("stages: 3", $"stages: {stages}"),
            ("schedule: 1f1b", $"schedule: {schedule}"),
        ],
    };
}
