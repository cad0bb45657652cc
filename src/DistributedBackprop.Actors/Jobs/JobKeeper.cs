using System.Net;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>What a job's own process has, in which its state is kept between generations and at the end.</summary>
/// <param name="Pool">Lends memory.</param>
/// <param name="Plane">Carries tensors; null in a process without a network.</param>
/// <param name="Life">The process; null without a network.</param>
/// <param name="Storage">Where jobs outlive this process; null: they do not, and checkpoints stay in the memory of the job.</param>
public sealed record JobKeeper(TensorPool Pool, ITensorPlane? Plane = null, INodeLife? Life = null, JobStorage? Storage = null)
{
    /// <summary>The keeper's name among the members of a generation: that of no node.</summary>
    public const string Name = "(keeper)";

    /// <summary>Where it takes tensors; null without a network.</summary>
    public DnsEndPoint? Tensors => Life?.Description.Tensors;

    /// <summary>
    /// How frames to the keeper of a job name it: a process may be node and keeper at once, and its frames are told apart.
    /// </summary>
    public static ulong HashOf(string jobId) => JobHash.Of($"{jobId}/keeper");
}
