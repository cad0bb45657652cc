namespace DistributedBackprop.Training.Jobs;

/// <summary>Where the examples of a job come from.</summary>
public abstract record DataSource
{
    /// <summary>Every feature is multiplied by this. Default 1; finite, not 0.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Whether each epoch has an order of its own (default), or all keep the order of the file.</summary>
    public bool Shuffle { get; init; } = true;
}

/// <summary>IDX files (the format of MNIST), plain or gzip.</summary>
/// <param name="Train">What to train on.</param>
/// <param name="Test">What to judge on; null without.</param>
public sealed record IdxData(IdxFiles Train, IdxFiles? Test) : DataSource;

/// <summary>A pair of IDX files, as paths relative to the data root.</summary>
/// <param name="Features">The file of features.</param>
/// <param name="Labels">The file of labels.</param>
public sealed record IdxFiles(string Features, string Labels);

/// <summary>28×28 digits drawn from strokes, with labels 0 … 9.</summary>
/// <param name="TrainExamples">How many to train on, ≥ 1. Default 8000.</param>
/// <param name="TestExamples">How many to judge on, ≥ 0. Default 2000.</param>
/// <param name="Noise">Standard deviation of the pixels' noise, 0 … 1, where ink is 1. Default 0.15.</param>
public sealed record DigitsData(int TrainExamples = 8000, int TestExamples = 2000, double Noise = 0.15) : DataSource;

/// <summary>Points (x, y) on interleaved spiral arms, labelled by their arm.</summary>
/// <param name="TrainExamples">How many to train on, ≥ 1. Default 1000.</param>
/// <param name="TestExamples">How many to judge on, ≥ 0. Default 500.</param>
/// <param name="Classes">Arms, 2 … 100. Default 3.</param>
/// <param name="Turns">Full turns of an arm, &gt; 0, ≤ 100. Default 1.5.</param>
/// <param name="Noise">Standard deviation of the points, 0 … 10, where the outer radius is 1. Default 0.1.</param>
public sealed record SpiralsData(
    int TrainExamples = 1000, int TestExamples = 500, int Classes = 3, double Turns = 1.5, double Noise = 0.1) : DataSource;

/// <summary>Points near the corners of a square, labelled by the exclusive or of their coordinates (0 or 1).</summary>
/// <param name="TrainExamples">How many to train on, ≥ 1. Default 400.</param>
/// <param name="TestExamples">How many to judge on, ≥ 0. Default 200.</param>
/// <param name="Noise">Standard deviation of the points, 0 … 10, where the square's side is 1. Default 0.1.</param>
public sealed record XorData(int TrainExamples = 400, int TestExamples = 200, double Noise = 0.1) : DataSource;
