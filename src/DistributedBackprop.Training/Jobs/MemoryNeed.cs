namespace DistributedBackprop.Training.Jobs;

/// <summary>About how much memory a job takes, told from the job alone, before any is taken.</summary>
public static class MemoryNeed
{
    private const int PanelRows = 16;

    /// <summary>
    /// Bytes of parameters, gradients and optimizer's state of all replicas, of what is in flight, and of the examples where
    /// they are generated; data files count as nothing. An estimate from below, good to a factor of two.
    /// </summary>
    /// <param name="job">The job, valid.</param>
    public static double Bytes(TrainingJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var shapes = ModelShapes.Of(job.Model);
        var parameters = shapes.Sum(layer => (double)layer.ParameterCount);
        var packed = job.Model.Layers.Zip(shapes, Packed).Sum();

        // Each replica has a gradient; where parameters are averaged, also parameters and an optimizer's state of its own.
        double replicas = job.Parallelism.Replicas;
        var owners = job.Parallelism.Averaging is ParameterAveraging ? replicas : 1;
        var floats = (replicas * parameters) + (owners * (parameters + packed)) + (owners * Slots(job.Optimizer) * parameters);

        // Each output has a delta of its shape on the way back; each replica has an epoch's order of its own.
        var width = job.Model.Input.Length + shapes.Sum(layer => 2.0 * layer.Output.Length);
        var (train, test) = GeneratedExamples(job.Data);
        floats += (Math.Min(job.Training.BatchSize, train) * width) + (replicas * train);
        return (sizeof(float) * floats) + ((train + test) * BytesOfExample(job));
    }

    /// <summary>Elements of a layer's weights in the form that products read, rounded up to whole panels; 0 without.</summary>
    internal static double Packed(ModelLayer layer, LayerShapes shapes) => layer.Kind is DenseKind dense
        ? (((dense.Units + (PanelRows - 1L)) / PanelRows) * PanelRows) * (double)shapes.Inputs[0][^1]
        : 0;

    /// <summary>Examples of the sets that the job draws itself; none of files, of which the job does not know.</summary>
    internal static (double Train, double Test) GeneratedExamples(DataSource data) => data switch
    {
        DigitsData digits => (digits.TrainExamples, digits.TestExamples),
        SpiralsData spirals => (spirals.TrainExamples, spirals.TestExamples),
        XorData xor => (xor.TrainExamples, xor.TestExamples),
        _ => (0, 0),
    };

    // The features, a byte or a float each, and the label.
    private static double BytesOfExample(TrainingJob job) =>
        ((job.Data is DigitsData ? 1.0 : sizeof(float)) * job.Model.Input.Length) + sizeof(int);

    private static int Slots(OptimizerChoice optimizer) => optimizer switch
    {
        SgdChoice { Momentum: 0 } => 0,
        SgdChoice => 1,
        _ => 2,
    };
}
