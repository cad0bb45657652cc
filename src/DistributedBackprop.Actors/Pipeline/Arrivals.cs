using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>
/// Tensors that have come in for micro-batches whose turn has not come, or of which other parts are missing. It owns
/// them until they are taken.
/// </summary>
/// <param name="parts">Tensors of one micro-batch: the layer's inputs, or its consumers.</param>
internal sealed class Arrivals(int parts) : IDisposable
{
    private readonly Dictionary<MicroBatchKey, Tensor?[]> _arrived = [];
    private readonly Stack<Tensor?[]> _spare = new();

    /// <summary>Keeps a tensor.</summary>
    /// <exception cref="InvalidOperationException">This part came before: two senders believe to be the same.</exception>
    public void Add(MicroBatchKey key, int part, Tensor tensor)
    {
        if (!_arrived.TryGetValue(key, out var tensors))
        {
            if (!_spare.TryPop(out tensors))
            {
                tensors = new Tensor?[parts];
            }

            _arrived.Add(key, tensors);
        }

        if (tensors[part] is not null)
        {
            tensor.Dispose();
            throw new InvalidOperationException($"Part {part} of {key} came twice.");
        }

        tensors[part] = tensor;
    }

    /// <summary>Whether all parts of a micro-batch are there.</summary>
    public bool IsComplete(MicroBatchKey key) =>
        _arrived.TryGetValue(key, out var tensors) && Array.TrueForAll(tensors, tensor => tensor is not null);

    /// <summary>Hands over all parts of a micro-batch. The caller owns the tensors and gives the array back.</summary>
    public Tensor[] Take(MicroBatchKey key) =>
        _arrived.Remove(key, out var tensors) ? (Tensor[])tensors! : throw new InvalidOperationException($"{key} has not come.");

    /// <summary>Takes an emptied array back.</summary>
    public void GiveBack(Tensor[] tensors)
    {
        Array.Clear(tensors);
        _spare.Push(tensors);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _arrived.Values.SelectMany(tensors => tensors))
        {
            tensor?.Dispose();
        }

        _arrived.Clear();
    }
}
