using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// A layer's named tensors, as one vector. A gradient has the same type. Ownership is that of <see cref="Tensor"/>: one
/// owner disposes of each object; <see cref="Share"/> makes an object for another.
/// </summary>
public sealed class Parameters : IDisposable
{
    private Parameters(ParameterLayout layout, Tensor vector, Tensor? packed)
    {
        Layout = layout;
        Vector = vector;
        Packed = packed;
    }

    /// <summary>What lies where.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>All parameters, one after the other. Owned by this object.</summary>
    public Tensor Vector { get; }

    /// <summary>
    /// What the layer derived from the parameters for its kernels (packed weights), or null. Owned by this object and
    /// made anew after each update.
    /// </summary>
    public Tensor? Packed { get; }

    /// <summary>Whether nobody else shares these parameters, so that they may be updated in place.</summary>
    public bool IsSole => Vector.IsSole;

    /// <summary>Room for the parameters of a layer; the elements are unspecified.</summary>
    /// <param name="pool">Lends the memory.</param>
    /// <param name="layout">What lies where.</param>
    /// <param name="packedLength">Elements that the layer derives (<see cref="Layer.PackedLength"/>); 0 for none.</param>
    public static Parameters Rent(TensorPool pool, ParameterLayout layout, int packedLength = 0)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return new Parameters(
            layout,
            Tensor.Rent(pool, new Shape(layout.Length)),
            packedLength > 0 ? Tensor.Rent(pool, new Shape(packedLength)) : null);
    }

    /// <summary>The elements of one parameter.</summary>
    public Span<float> this[ParameterSlot slot] => Vector.Floats.Slice(slot.Offset, slot.Shape.Length);

    /// <summary>Takes over the elements of other parameters of the layout, and what was derived from them.</summary>
    public void CopyFrom(Parameters other)
    {
        ArgumentNullException.ThrowIfNull(other);
        other.Vector.Floats.CopyTo(Vector.Floats);
        if (Packed is not null)
        {
            other.Packed!.Floats.CopyTo(Packed.Floats);
        }
    }

    /// <summary>A second owner's object on the same memory.</summary>
    public Parameters Share() => new(Layout, Vector.Share(), Packed?.Share());

    /// <summary>A second owner's object on the parameters of one layer of a composition.</summary>
    /// <param name="layout">The layer's parameters.</param>
    /// <param name="start">Where they begin in this vector.</param>
    /// <param name="packedStart">Where what it derived begins.</param>
    /// <param name="packedLength">How much that is; 0 where there is none (or none here: a gradient).</param>
    public Parameters Part(ParameterLayout layout, int start, int packedStart, int packedLength)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return new Parameters(
            layout,
            Vector.Share(start, new Shape(layout.Length)),
            Packed is null || packedLength == 0 ? null : Packed.Share(packedStart, new Shape(packedLength)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Vector.Dispose();
        Packed?.Dispose();
    }
}
