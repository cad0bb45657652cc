namespace DistributedBackprop.Training.Jobs;

/// <summary>The JSON Schema (draft-07) of job files, for editors and tests: <c>deploy/job.schema.json</c>.</summary>
public static class JobSchema
{
    /// <summary>The schema's text, JSON.</summary>
    public static string Text { get; } = Load();

    private static string Load()
    {
        using var stream = typeof(JobSchema).Assembly.GetManifestResourceStream("job.schema.json")
            ?? throw new InvalidOperationException("The program was built without job.schema.json.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
