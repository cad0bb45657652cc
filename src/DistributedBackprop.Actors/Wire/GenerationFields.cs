using DistributedBackprop.Actors.Transport;

namespace DistributedBackprop.Actors.Wire;

/// <summary>Checks the numbers that name something of a generation; each throws as those of <see cref="WireFields"/>.</summary>
internal static class GenerationFields
{
    /// <summary>
    /// The longest id of a job, in bytes of UTF-8: its name, which a job file does not bound, and part of a digest.
    /// </summary>
    public const int MaxJobId = 1024;

    /// <summary>The id of a job.</summary>
    public static string JobId(string value) => WireFields.Text(value, "job_id", MaxJobId);

    /// <summary>A generation, from 1.</summary>
    public static long Generation(long value) => WireFields.Number(value, "generation", 1, long.MaxValue);

    /// <summary>A step, 0 for before the first.</summary>
    public static long Step(long value, string field) => WireFields.Number(value, field, 0, long.MaxValue);

    /// <summary>A replica, from 0.</summary>
    public static int Replica(int value) => WireFields.Number(value, "replica", 0, FrameLimits.Default.MaxReplicas - 1);

    /// <summary>An edge or a layer, from 0.</summary>
    public static int Place(int value, string field) => WireFields.Number(value, field, 0, FrameLimits.Default.MaxEdges - 1);

    /// <summary>How many of something there are.</summary>
    public static long Count(long value, string field) => WireFields.Number(value, field, 0, long.MaxValue);
}
