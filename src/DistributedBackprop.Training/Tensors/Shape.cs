using System.Collections.Immutable;

namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// The lengths of a tensor's axes, outermost first, e.g. <c>[batch, out]</c>. Elements lie in row-major order without
/// gaps. Immutable; two shapes are equal when their axes are.
/// </summary>
public sealed class Shape : IEquatable<Shape>
{
    private readonly ImmutableArray<int> _axes;

    /// <summary>Makes a shape.</summary>
    /// <param name="axes">The axes' lengths, each ≥ 0; none for a scalar.</param>
    /// <exception cref="ArgumentOutOfRangeException">An axis is negative.</exception>
    /// <exception cref="OverflowException">There would be more than 2³¹−1 elements.</exception>
    public Shape(params ReadOnlySpan<int> axes)
    {
        var length = 1;
        foreach (var axis in axes)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(axis, nameof(axes));
            length = checked(length * axis);
        }

        _axes = [.. axes];
        Length = length;
    }

    /// <summary>How many axes there are.</summary>
    public int Rank => _axes.Length;

    /// <summary>How many elements a tensor of this shape has.</summary>
    public int Length { get; }

    /// <summary>The length of one axis.</summary>
    /// <param name="axis">0 is the outermost.</param>
    public int this[int axis] => _axes[axis];

    /// <summary>The length of one axis, counted from either end.</summary>
    /// <param name="axis"><c>^1</c> is the innermost.</param>
    public int this[Index axis] => _axes[axis.GetOffset(Rank)];

    /// <summary>The axes' lengths, outermost first.</summary>
    public ImmutableArray<int> Axes => _axes;

    /// <summary>The shape of <paramref name="count"/> examples of this shape, stacked: <c>[count, …]</c>.</summary>
    public Shape Stacked(int count) => new([count, .. _axes]);

    /// <summary>The shape of one example of a stack: this shape without its first axis.</summary>
    /// <exception cref="InvalidOperationException">This is a scalar's shape.</exception>
    public Shape OfOne() =>
        Rank > 0 ? new(_axes.AsSpan()[1..]) : throw new InvalidOperationException("A scalar is no stack of examples.");

    /// <inheritdoc/>
    public bool Equals(Shape? other) => other is not null && _axes.AsSpan().SequenceEqual(other._axes.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var axis in _axes)
        {
            hash.Add(axis);
        }

        return hash.ToHashCode();
    }

    /// <summary>The shape as people write it, e.g. <c>[128, 784]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", _axes)}]";
}
