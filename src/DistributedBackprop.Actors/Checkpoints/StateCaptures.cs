using Akka.Actor;
using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Checkpoints;

/// <summary>What one layer is asked for of its state, and sends as soon as it stands after the step asked for.</summary>
internal sealed class StateCaptures
{
    // 64 MB: a frame carries no more than four times that. What is smaller goes whole, and is kept as it is.
    private const int PartElements = 1 << 24;

    private readonly List<(CaptureState Order, IActorRef Keeper)> _asked = [];

    /// <summary>The job asks. It is told each once.</summary>
    public void Ask(CaptureState order, IActorRef keeper) => _asked.Add((order, keeper));

    /// <summary>The layer stands after a step: its update is done, and the next one has not begun.</summary>
    /// <param name="afterStep">Which step.</param>
    /// <param name="peers">What the layer has.</param>
    /// <exception cref="InvalidOperationException">The layer is asked for what it was before.</exception>
    public void SendDue(long afterStep, LayerPeers peers)
    {
        for (var i = 0; i < _asked.Count; i++)
        {
            var (order, keeper) = _asked[i];
            if (order.AfterStep > afterStep)
            {
                continue;
            }

            if (order.AfterStep < afterStep)
            {
                throw new InvalidOperationException(
                    $"Its state after step {order.AfterStep} was asked for after step {afterStep}.");
            }

            _asked.RemoveAt(i--);
            Send(order, keeper, peers);
        }
    }

    private static void Send(CaptureState order, IActorRef keeper, LayerPeers peers)
    {
        foreach (var (vector, start, value) in peers.Capture(order.ParametersOnly, order.TrainsOn))
        {
            using (value)
            {
                for (var from = 0; from < value.Length; from += PartElements)
                {
                    var part = value.Share(from, new Shape(Math.Min(PartElements, value.Length - from)));
                    keeper.Tell(new StatePart(order.Generation, order.AfterStep, vector, start + from, part));
                }
            }
        }
    }
}
