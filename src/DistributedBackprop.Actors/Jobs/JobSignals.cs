using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// What those who measure or log hear of jobs: published on the event stream of the coordinator's actor system, where it
/// costs nothing while nobody subscribes. Nothing that is computed depends on it.
/// </summary>
/// <param name="JobId">Which job.</param>
public abstract record JobSignal(string JobId);

/// <summary>Something happened to a job, steps excepted.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Event">What.</param>
public sealed record JobHappened(string JobId, TrainingEvent Event) : JobSignal(JobId);

/// <summary>Steps have been judged, those that are computed again included.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Step">The last of them.</param>
/// <param name="Steps">How many.</param>
/// <param name="Examples">How many examples they took.</param>
/// <param name="Seconds">How long they took, evaluations excluded.</param>
/// <param name="Loss">Of the last of them.</param>
public sealed record StepsTrained(string JobId, long Step, int Steps, long Examples, double Seconds, double Loss) : JobSignal(JobId);

/// <summary>The layers are asked for their state after a step: a checkpoint begins.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Step">After which step.</param>
public sealed record CheckpointBegins(string JobId, long Step) : JobSignal(JobId);

/// <summary>A generation is lost: the job goes back to its newest checkpoint.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Step">The last step that was trained.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record RecoveryBegins(string JobId, long Step, string Reason) : JobSignal(JobId);

/// <summary>A generation is over.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Statistics">What it did.</param>
public sealed record GenerationMeasured(string JobId, GenerationStatistics Statistics) : JobSignal(JobId);

/// <summary>How many jobs the queue has in each state.</summary>
/// <param name="Waiting">They wait for their turn.</param>
/// <param name="Running">They run.</param>
/// <param name="Paused">They are put aside.</param>
public sealed record JobsCounted(int Waiting, int Running, int Paused);
