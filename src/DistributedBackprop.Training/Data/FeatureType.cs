namespace DistributedBackprop.Training.Data;

/// <summary>How a set keeps its features in memory.</summary>
public enum FeatureType
{
    /// <summary>One byte each, 0 … 255; a quarter of the memory, converted while a minibatch is gathered.</summary>
    UInt8,

    /// <summary>IEEE 754 single precision, finite.</summary>
    Float32,
}
