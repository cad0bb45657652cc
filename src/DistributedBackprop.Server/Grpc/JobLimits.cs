using System.Globalization;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Grpc;

/// <summary>What a job of the service may ask for, looked at before any memory is taken for it.</summary>
/// <param name="Parameters">Parameters of one replica.</param>
/// <param name="MemoryBytes">About what it takes over all nodes (<see cref="MemoryNeed"/>).</param>
/// <param name="BatchBytes">One minibatch as the network takes it.</param>
/// <param name="Steps">Steps, where the job says how many.</param>
/// <param name="Epochs">Epochs, where the job says how many.</param>
public sealed record JobLimits(
    long Parameters = 1_000_000_000,
    long MemoryBytes = 64L << 30,
    long BatchBytes = 1L << 30,
    long Steps = 1_000_000_000,
    int Epochs = 1_000_000)
{
    /// <summary>What of a job is beyond the limits, for people; none where it fits.</summary>
    /// <param name="job">The job, valid.</param>
    public IEnumerable<string> Exceeded(TrainingJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        (string What, double Asked, double Most)[] sizes =
        [
            ("parameters", ModelShapes.Of(job.Model).Sum(layer => (double)layer.ParameterCount), Parameters),
            ("bytes of memory", MemoryNeed.Bytes(job), MemoryBytes),
            ("bytes in a minibatch", (double)sizeof(float) * job.Training.BatchSize * job.Model.Input.Length, BatchBytes),
            ("steps", job.Training.Steps ?? 0, Steps),
            ("epochs", job.Training.Epochs ?? 0, Epochs),
        ];
        return sizes.Where(size => size.Asked > size.Most).Select(size => string.Create(
            CultureInfo.InvariantCulture, $"the job asks for {size.Asked:N0} {size.What} (allowed: at most {size.Most:N0})"));
    }
}
