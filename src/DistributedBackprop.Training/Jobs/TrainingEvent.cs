namespace DistributedBackprop.Training.Jobs;

/// <summary>What a job tells those who watch it, in the order in which it happened.</summary>
public abstract record TrainingEvent;

/// <summary>Training begins.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Layers">Layers of the network.</param>
/// <param name="Parameters">Parameters of the network.</param>
/// <param name="Nodes">Nodes that work on it.</param>
public sealed record TrainingStarted(string JobId, int Layers, long Parameters, int Nodes) : TrainingEvent;

/// <summary>The job runs on these nodes from now on: its first placement in a cluster, or another one.</summary>
/// <param name="Generation">Which placement it is, from 1.</param>
/// <param name="Step">The last step trained before.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Placement">Where its stages run.</param>
public sealed record GenerationStarted(long Generation, long Step, string Reason, Placement Placement) : TrainingEvent;

/// <summary>A step has been judged. Every step is told once.</summary>
/// <param name="Step">Which, from 1.</param>
/// <param name="Epoch">In which epoch, from 1.</param>
/// <param name="Loss">The mean over the step's examples, before the update.</param>
/// <param name="Accuracy">The share of its examples judged right, before the update.</param>
/// <param name="SamplesPerSecond">Examples over time since the step told before (0 where no time has passed).</param>
public sealed record StepDone(long Step, int Epoch, double Loss, double Accuracy, double SamplesPerSecond) : TrainingEvent;

/// <summary>An epoch has ended and its evaluation is done.</summary>
/// <param name="Epoch">Which, from 1.</param>
/// <param name="Step">Its last step.</param>
/// <param name="TrainLoss">The mean over the epoch's examples of their losses, each before its step's update.</param>
/// <param name="TestLoss">The mean over the test set; null without one.</param>
/// <param name="TestAccuracy">The share of the test set judged right; null without one.</param>
public sealed record EpochDone(int Epoch, long Step, double TrainLoss, double? TestLoss, double? TestAccuracy) : TrainingEvent;

/// <summary>The job's state after a step is saved: whatever is lost from now on, no earlier step is computed again.</summary>
/// <param name="Step">After which step.</param>
/// <param name="Bytes">Bytes of the state.</param>
public sealed record CheckpointSaved(long Step, long Bytes) : TrainingEvent;

/// <summary>The job cannot go on at present, and waits.</summary>
/// <param name="Step">The last step trained.</param>
/// <param name="Reason">What it waits for, for people.</param>
public sealed record TrainingWaits(long Step, string Reason) : TrainingEvent;

/// <summary>The job is done.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Steps">Steps trained.</param>
/// <param name="Epochs">Whole epochs trained.</param>
/// <param name="TrainLoss">Of the last epoch, whole or not.</param>
/// <param name="TestLoss">After the last step; null without a test set.</param>
/// <param name="TestAccuracy">After the last step; null without a test set.</param>
/// <param name="SamplesPerSecond">Training examples over training time, evaluation excluded.</param>
/// <param name="WallSeconds">From the start of training to the end.</param>
/// <param name="WeightsSha256">The hash of the final weights, lower-case hexadecimal.</param>
/// <param name="Nodes">Nodes that worked on it.</param>
/// <param name="Recoveries">How often the job was recovered.</param>
public sealed record TrainingCompleted(
    string JobId,
    long Steps,
    int Epochs,
    double TrainLoss,
    double? TestLoss,
    double? TestAccuracy,
    double SamplesPerSecond,
    double WallSeconds,
    string WeightsSha256,
    int Nodes,
    int Recoveries) : TrainingEvent;

/// <summary>The job has failed.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Step">At which step; 0 before the first.</param>
/// <param name="Layer">The layer that failed; null where it was none.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record TrainingFailed(string JobId, long Step, string? Layer, string Reason) : TrainingEvent;

/// <summary>The job was cancelled.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Step">The last step trained.</param>
public sealed record TrainingCancelled(string JobId, long Step) : TrainingEvent;

/// <summary>The job has paused: it can go on from here.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Step">The last step trained, whose state is kept.</param>
public sealed record TrainingPaused(string JobId, long Step) : TrainingEvent;
