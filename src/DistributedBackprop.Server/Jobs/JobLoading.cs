using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Server.Jobs;

/// <summary>Reads jobs and their data, off the actors.</summary>
/// <param name="roots">Where data lie on this node.</param>
internal sealed class JobLoading(DataRoots roots) : IJobLoading
{
    public void Load(JobSubmission submission, IActorRef receiver) => Task.Run(() => receiver.Tell(Read(submission)));

    private JobLoaded Read(JobSubmission submission)
    {
        try
        {
            var job = JobFile.Parse(submission.FileName, submission.Document).Job
                ?? throw new DataException(submission.FileName, "is not valid any more: it was written for another version");
            var folder = roots.Find(submission.DataRoot)
                ?? throw new DataException(
                    submission.FileName,
                    $"there is no data root '{submission.DataRoot}' on this node",
                    string.Join(", ", roots.Names));
            var graph = Graph.Of(job.Model, job.Seed);
            var data = DataLoader.Load(job, graph.Output, folder);
            if (data.Train.Shape.Length != graph.Input.Length)
            {
                throw new DataException(
                    "model.input", $"an example of the data is {data.Train.Shape}, but the model takes {graph.Input}");
            }

            return new JobLoaded(submission.Id, new JobRun(submission.Id, job, graph, data, null) { DataRoot = submission.DataRoot }, null);
        }
#pragma warning disable CA1031 // Whatever it is, it is the job's end and not the node's.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new JobLoaded(submission.Id, null, e is DataException ? e.Message : $"{e.GetType().Name}: {e.Message}");
        }
    }
}
