using System.Net;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>What a job's own process has, in which its state is kept between generations and at the end.</summary>
/// <param name="Name">The process's name among the nodes.</param>
/// <param name="Pool">Lends memory.</param>
/// <param name="Plane">Carries tensors; null in a process without a network.</param>
/// <param name="Tensors">Where it takes tensors; null without a network.</param>
public sealed record JobKeeper(string Name, TensorPool Pool, ITensorPlane? Plane = null, DnsEndPoint? Tensors = null)
{
    /// <summary>
    /// How frames to the keeper of a job name it: a process may be node and keeper at once, and its frames are told apart.
    /// </summary>
    public static ulong HashOf(string jobId) => JobHash.Of($"{jobId}/keeper");
}
