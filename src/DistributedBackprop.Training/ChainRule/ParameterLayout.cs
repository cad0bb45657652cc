using System.Collections.Immutable;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// Which parameters a layer has and where each lies in the layer's one vector: one after the other without gaps, weight
/// before bias. The vector is what is averaged, updated and saved.
/// </summary>
public sealed class ParameterLayout
{
    /// <summary>Lays parameters out in the order given.</summary>
    public ParameterLayout(params IEnumerable<(string Name, Shape Shape)> parameters)
    {
        var offset = 0;
        var slots = ImmutableArray.CreateBuilder<ParameterSlot>();
        foreach (var (name, shape) in parameters)
        {
            slots.Add(new ParameterSlot(name, shape, offset));
            offset = checked(offset + shape.Length);
        }

        Slots = slots.ToImmutable();
        Length = offset;
    }

    /// <summary>Of a layer without parameters.</summary>
    public static ParameterLayout None { get; } = new();

    /// <summary>The parameters in order.</summary>
    public ImmutableArray<ParameterSlot> Slots { get; }

    /// <summary>Elements of the whole vector.</summary>
    public int Length { get; }
}

/// <summary>One named parameter of a layer.</summary>
/// <param name="Name">Its name within the layer, e.g. <c>weight</c>.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Offset">Where it begins in the layer's vector, in elements.</param>
public sealed record ParameterSlot(string Name, Shape Shape, int Offset);
