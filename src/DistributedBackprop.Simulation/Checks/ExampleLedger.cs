using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Data;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>
/// Which examples entered the network at each step, in the generation whose computing of that step stands: in the last one
/// from where it began, before that in the one that took the state it began with, and so on. It looks at what the first layers
/// are told, not at what anybody says about it.
/// </summary>
internal sealed class ExampleLedger
{
    private readonly Dictionary<(long Step, long Generation), List<(int First, int Count)>> _ranges = [];
    private readonly SortedDictionary<long, long> _beganAfter = [];
    private readonly Dictionary<long, long> _tookStateAfter = [];
    private readonly SimulatedJob _job;
    private readonly int _edge;
    private readonly string _path;
    private readonly string _actors;

    public ExampleLedger(SimulatedJob job)
    {
        _job = job;
        _path = FormattableString.Invariant($"/{JobHash.Of(job.Job.Name):x16}-");
        _actors = _path + "g";
        _edge = job.Graph.InputEdges[0];
    }

    /// <summary>A message is handled.</summary>
    public void OnHandled(SentMessage sent)
    {
        switch (sent.Message)
        {
            case Activation { Key.IsTraining: true } activation
                when activation.Edge == _edge && !IsLink(sent.Receiver) && IsFor(sent, _actors):
                Enter(activation);
                break;
            case PrepareGeneration prepare when prepare.JobId == _job.Job.Name:
                _beganAfter[prepare.Generation] = prepare.AfterStep;
                break;
            case AllCaptured { ParametersOnly: false } captured
                when IsFor(sent, _path) && _beganAfter.GetValueOrDefault(captured.Generation) < captured.AfterStep:
                // Not where it has only decided the epoch at whose end it began: then another one has trained up to there.
                _tookStateAfter[captured.AfterStep] = captured.Generation;
                break;
        }
    }

    /// <summary>What is wrong: examples that an epoch has lost, or seen twice.</summary>
    /// <param name="steps">How many steps the job takes: fewer than it may where it stops when it is good enough.</param>
    public IEnumerable<string> Problems(long steps)
    {
        var plan = _job.Run.Plan;
        var seen = new int[_job.Data.Train.Count];
        var order = new int[_job.Data.Train.Count];
        var orders = new EpochOrder(_job.Job.Seed, _job.Data.Train.Count, _job.Job.Data.Shuffle);
        var lineage = Lineage(steps);
        for (var step = 1L; step <= steps; step++)
        {
            var batch = plan.At(step);
            if (batch.Offset == 0)
            {
                orders.Fill(batch.Epoch, order);
                Array.Clear(seen);
            }

            foreach (var (first, count) in _ranges.GetValueOrDefault((step, lineage[step])) ?? [])
            {
                for (var position = first; position < first + count; position++)
                {
                    seen[order[batch.Offset + position]]++;
                }
            }

            var isWhole = batch.Offset + batch.Count == seen.Length;
            var wrong = isWhole ? Array.FindIndex(seen, times => times != 1) : -1;
            if (wrong >= 0)
            {
                yield return FormattableString.Invariant(
                    $"epoch {batch.Epoch + 1} has trained example {wrong} {seen[wrong]} times (each must be trained once)");
            }
        }
    }

    private static bool IsLink(string receiver) => receiver.AsSpan(receiver.LastIndexOf('/') + 1).StartsWith("link-");

    private static bool IsFor(SentMessage sent, string path) => sent.Receiver.Contains(path, StringComparison.Ordinal);

    private void Enter(Activation activation)
    {
        var key = (activation.Key.Step, activation.Generation);
        if (!_ranges.TryGetValue(key, out var ranges))
        {
            _ranges.Add(key, ranges = []);
        }

        ranges.Add((activation.FirstPosition, activation.Value.Shape[0]));
    }

    // The generation of each step, by its number.
    private long[] Lineage(long steps)
    {
        var lineage = new long[steps + 1];
        var generation = _beganAfter.Keys.LastOrDefault(number => _ranges.ContainsKey((steps, number)));
        for (var step = steps; step >= 1; step--)
        {
            if (_beganAfter.GetValueOrDefault(generation) == step)
            {
                generation = _tookStateAfter.GetValueOrDefault(step);
            }

            lineage[step] = generation;
        }

        return lineage;
    }
}
