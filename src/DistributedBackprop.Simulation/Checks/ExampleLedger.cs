using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Data;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>
/// Which examples entered the network at each step, in the generation whose computing of that step stands: the last one
/// that computed it. It looks at what the first layers are told, not at what anybody says about it.
/// </summary>
internal sealed class ExampleLedger
{
    private readonly SortedDictionary<long, StepEntry> _steps = [];
    private readonly SimulatedJob _job;
    private readonly int _edge;
    private readonly string _actors;

    public ExampleLedger(SimulatedJob job)
    {
        _job = job;
        _actors = FormattableString.Invariant($"/{JobHash.Of(job.Job.Name):x16}-g");
        _edge = job.Graph.InputEdges[0];
    }

    /// <summary>A message is handled.</summary>
    public void OnHandled(SentMessage sent)
    {
        if (sent.Message is not Activation { Key.IsTraining: true } activation || activation.Edge != _edge
            || IsLink(sent.Receiver) || !sent.Receiver.Contains(_actors, StringComparison.Ordinal))
        {
            return;
        }

        if (!_steps.TryGetValue(activation.Key.Step, out var entry) || entry.Generation < activation.Generation)
        {
            _steps[activation.Key.Step] = entry = new StepEntry(activation.Generation);
        }

        if (entry.Generation == activation.Generation)
        {
            entry.Ranges.Add((activation.FirstPosition, activation.Value.Shape[0]));
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
        for (var step = 1L; step <= steps; step++)
        {
            var batch = plan.At(step);
            if (batch.Offset == 0)
            {
                orders.Fill(batch.Epoch, order);
                Array.Clear(seen);
            }

            foreach (var (first, count) in _steps.GetValueOrDefault(step)?.Ranges ?? [])
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

    private sealed class StepEntry(long generation)
    {
        public long Generation { get; } = generation;

        public List<(int First, int Count)> Ranges { get; } = [];
    }
}
