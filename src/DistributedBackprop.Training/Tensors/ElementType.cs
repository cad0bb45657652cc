namespace DistributedBackprop.Training.Tensors;

/// <summary>What the elements of a tensor are. Both take four bytes.</summary>
public enum ElementType
{
    /// <summary>IEEE 754 single precision.</summary>
    Float32,

    /// <summary>Whole numbers: labels and tokens, which are never floats.</summary>
    Int32,
}
