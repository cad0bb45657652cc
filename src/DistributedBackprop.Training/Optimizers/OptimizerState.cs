using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Optimizers;

/// <summary>What an optimizer remembers of one layer: vectors as long as the layer's parameters. Its owner disposes of it.</summary>
public sealed class OptimizerState : IDisposable
{
    private readonly Tensor[] _slots;

    private OptimizerState(Tensor[] slots) => _slots = slots;

    /// <summary>The state before the first step: all +0.</summary>
    /// <param name="pool">Lends the memory.</param>
    /// <param name="optimizer">Says how many slots there are.</param>
    /// <param name="length">Elements of the layer's parameters.</param>
    public static OptimizerState Rent(TensorPool pool, Optimizer optimizer, int length)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        var slots = new Tensor[optimizer.Slots];
        for (var i = 0; i < slots.Length; i++)
        {
            slots[i] = Tensor.RentZeros(pool, new Shape(length));
        }

        return new OptimizerState(slots);
    }

    /// <summary>The vectors, each as long as the layer's parameters; borrowed.</summary>
    public IReadOnlyList<Tensor> Slots => _slots;

    /// <summary>A state made of vectors that were saved. Takes them.</summary>
    public static OptimizerState Of(params IEnumerable<Tensor> slots) => new([.. slots]);

    /// <summary>A part of one slot; empty where there is no such slot.</summary>
    public Span<float> Part(int slot, int start, int length) =>
        slot < _slots.Length ? _slots[slot].Floats.Slice(start, length) : default;

    /// <summary>Begins anew: all +0.</summary>
    public void Clear()
    {
        foreach (var slot in _slots)
        {
            slot.Floats.Clear();
        }
    }

    /// <summary>A second owner's object on the same memory.</summary>
    public OptimizerState Share() => new([.. _slots.Select(slot => slot.Share())]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var slot in _slots)
        {
            slot.Dispose();
        }
    }
}
