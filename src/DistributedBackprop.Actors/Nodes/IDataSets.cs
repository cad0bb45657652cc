using Akka.Actor;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>Where a node has its examples from: the seam between actors and files.</summary>
public interface IDataSets
{
    /// <summary>Reads or makes the data of a job; the receiver is told <see cref="DataLoaded"/>. Must not block.</summary>
    void Load(TrainingJob job, IActorRef receiver);

    /// <summary>The same, where there are several places for data.</summary>
    /// <param name="job">The job.</param>
    /// <param name="root">The place, by its name; empty: the one that has none.</param>
    /// <param name="receiver">Who is told.</param>
    void Load(TrainingJob job, string root, IActorRef receiver) => Load(job, receiver);
}

/// <summary>The answer to <see cref="IDataSets.Load(TrainingJob, IActorRef)"/>.</summary>
/// <param name="Data">The data; null where they cannot be had.</param>
/// <param name="Error">Why not, for people; null where they are there.</param>
public sealed record DataLoaded(DataSet? Data, string? Error) : INoSerializationVerificationNeeded;

/// <summary>Data that are there already: of a job that runs in the process which has read them.</summary>
/// <param name="data">The data.</param>
public sealed class GivenData(DataSet data) : IDataSets
{
    /// <inheritdoc/>
    public void Load(TrainingJob job, IActorRef receiver) => receiver.Tell(new DataLoaded(data, null));
}
