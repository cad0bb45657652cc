using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests;

/// <summary>Nodes with 1, 2 and 4 layer threads, shared by the tests of a class.</summary>
public sealed class LocalNodes : IAsyncLifetime
{
    private readonly Dictionary<int, LocalTraining> _nodes = [];

    public LocalTraining this[int threads] => _nodes[threads];

    public async Task InitializeAsync()
    {
        foreach (var threads in new[] { 1, 2, 4 })
        {
            _nodes.Add(threads, await LocalTraining.StartAsync(threads));
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes.Values)
        {
            await node.DisposeAsync();
        }
    }

    /// <summary>Trains a job on one of the nodes and keeps all that it says.</summary>
    public Task<Observed> TrainAsync(TrainingJob job, PlainData data, int threads) =>
        TrainAsync(job, ToDataSet(job, data), threads);

    /// <inheritdoc cref="TrainAsync(TrainingJob, PlainData, int)"/>
    public async Task<Observed> TrainAsync(TrainingJob job, DataSet data, int threads)
    {
        var events = new List<TrainingEvent>();
        var run = new JobRun("test", job, Graph.Of(job.Model, job.Seed), data, null);
        using var result = await this[threads].RunAsync(run, events.Add).WaitAsync(TimeSpan.FromMinutes(2));
        return new Observed(
            events, result.Outcome, [.. result.Parameters.Select(layer => layer.Floats.ToArray())], PeaksOf(result));
    }

    // Of the first replica's layers, in graph order.
    private static List<int> PeaksOf(TrainingResult result) => [.. result.Generations
        .SelectMany(generation => generation.Nodes)
        .SelectMany(node => node.Stages)
        .Where(stage => stage.Replica == 0)
        .SelectMany(stage => stage.Peaks)
        .OrderBy(peak => peak.Key)
        .Select(peak => peak.Value)];

    private static DataSet ToDataSet(TrainingJob job, PlainData data) => new(
        Examples.OfFloats(job.Model.Input, [.. data.TrainFeatures.SelectMany(example => example)], data.TrainLabels),
        data.TestFeatures is null
            ? null
            : Examples.OfFloats(job.Model.Input, [.. data.TestFeatures.SelectMany(example => example)], data.TestLabels!));
}

/// <summary>What a job said and left.</summary>
public sealed record Observed(
    IReadOnlyList<TrainingEvent> Events, TrainingEvent Outcome, IReadOnlyList<float[]> Layers, IReadOnlyList<int> PeakInFlight)
{
    public IEnumerable<double> Losses => Events.OfType<StepDone>().Select(step => step.Loss);

    public TrainingCompleted Completed => Outcome.ShouldBeOfType<TrainingCompleted>();
}
