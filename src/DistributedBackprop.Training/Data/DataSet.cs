namespace DistributedBackprop.Training.Data;

/// <summary>What a job learns from and is judged on. Immutable, safe for any number of threads.</summary>
public sealed class DataSet
{
    private readonly Lazy<string> _fingerprint;

    /// <summary>Puts two sets together.</summary>
    /// <param name="train">What to train on.</param>
    /// <param name="test">What to judge on, of the same feature shape; null without.</param>
    /// <param name="factor">What every feature is multiplied by when it is gathered.</param>
    /// <exception cref="ArgumentException">The examples of the two sets differ in shape.</exception>
    public DataSet(Examples train, Examples? test, float factor = 1)
    {
        ArgumentNullException.ThrowIfNull(train);
        if (test is not null && !test.Shape.Equals(train.Shape))
        {
            throw new ArgumentException($"Test examples are {test.Shape}, train examples {train.Shape}.", nameof(test));
        }

        Train = train;
        Test = test;
        Factor = factor;
        Classes = 1 + Math.Max(Highest(train), test is null ? 0 : Highest(test));
        _fingerprint = new(() => DataFingerprint.Of(train, test));
    }

    /// <summary>What to train on.</summary>
    public Examples Train { get; }

    /// <summary>What to judge on; null without.</summary>
    public Examples? Test { get; }

    /// <summary>What <see cref="Examples.Gather"/> multiplies features by, in float32.</summary>
    public float Factor { get; }

    /// <summary>One more than the highest label of both sets, ≥ 1.</summary>
    public int Classes { get; }

    /// <summary>
    /// SHA-256 of both sets' shapes, features and labels, as 64 lower-case hexadecimal digits. Computed at the first use.
    /// It says whether two nodes, or a job and its continuation, have the same data; <see cref="Factor"/> is the job's.
    /// </summary>
    public string Fingerprint => _fingerprint.Value;

    private static int Highest(Examples examples)
    {
        var highest = 0;
        foreach (var label in examples.Labels)
        {
            highest = Math.Max(highest, label);
        }

        return highest;
    }
}
