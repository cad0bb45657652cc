namespace DistributedBackprop.Simulation.Clusters;

/// <summary>What can happen to a control message between hosts.</summary>
public enum MessageFault
{
    /// <summary>It never comes.</summary>
    Lost,

    /// <summary>It comes twice.</summary>
    Doubled,

    /// <summary>It comes long after.</summary>
    Late,

    /// <summary>Later ones come before it.</summary>
    OutOfOrder,
}
