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
    public Tensor? Packed { get; private set; }

    /// <summary>Whether nobody else shares these parameters, so that they may be updated in place.</summary>
    public bool IsSole => Vector.IsSole;

    /// <summary>Room for the parameters of a layout; the elements are unspecified.</summary>
    public static Parameters Rent(TensorPool pool, ParameterLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return new Parameters(layout, Tensor.Rent(pool, new Shape(layout.Length)), null);
    }

    /// <summary>The elements of one parameter.</summary>
    public Span<float> this[ParameterSlot slot] => Vector.Floats.Slice(slot.Offset, slot.Shape.Length);

    /// <summary>Gives derived data to this object, which owns it from then on.</summary>
    public void SetPacked(Tensor packed)
    {
        Packed?.Dispose();
        Packed = packed;
    }

    /// <summary>A second owner's object on the same memory.</summary>
    public Parameters Share() => new(Layout, Vector.Share(), Packed?.Share());

    /// <inheritdoc/>
    public void Dispose()
    {
        Vector.Dispose();
        Packed?.Dispose();
    }
}
