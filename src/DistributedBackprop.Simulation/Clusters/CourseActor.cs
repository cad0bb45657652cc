using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>Watches a job, and lets it go on as it takes events in.</summary>
internal sealed class CourseActor : ReceiveActor
{
    private IActorRef? _job;
    private object? _wish;

    /// <summary>Makes the actor.</summary>
    /// <param name="course">Where it is noted.</param>
    /// <param name="isHeard">Whether what is told here is noted at all.</param>
    public CourseActor(JobCourse course, Func<bool> isHeard)
    {
        Receive<JobAccepted>(accepted =>
        {
            _job = accepted.Job;
            Tell(_wish);
        });
        Receive<JobRejected>(rejected => course.OnOver(new JobOver(new TrainingFailed("", 0, null, rejected.Reason), [], [])));
        Receive<JobEvent>(happened =>
        {
            if (isHeard())
            {
                course.Add(happened.Event);
            }

            if (happened.Event is StepDone step)
            {
                Sender.Tell(new Watched(step.Step));
            }
        });
        Receive<JobOver>(over =>
        {
            if (isHeard())
            {
                course.OnOver(over);
            }
            else
            {
                over.GiveUp();
            }
        });
        Receive<PauseJob>(Tell);
        Receive<CancelJob>(Tell);
    }

    // What is wished before the job is there is wished of it when it is.
    private void Tell(object? wish)
    {
        _wish = _job is null ? wish : null;
        if (wish is not null)
        {
            _job?.Tell(wish);
        }
    }
}
