namespace DistributedBackprop.Simulation.Faults;

/// <summary>What can be done to a cluster. What happens to single messages is <see cref="Clusters.MessageFault"/>.</summary>
public enum FaultKind
{
    /// <summary>Tensors of one way stand still for a while.</summary>
    LinkStalls,

    /// <summary>Tensors of one way take very long for a while.</summary>
    LinkSlow,

    /// <summary>The connections of one way break.</summary>
    LinkBreaks,

    /// <summary>Nothing goes between one group of hosts and the others for a while.</summary>
    Partition,

    /// <summary>Nothing goes from one host to another for a while; the other way is open.</summary>
    OneWayPartition,

    /// <summary>Ways are cut one after the other, and healed in another order.</summary>
    Swizzle,

    /// <summary>A node freezes for a while.</summary>
    NodePauses,

    /// <summary>A node is killed, and started again after a while.</summary>
    NodeCrashes,

    /// <summary>A new node joins.</summary>
    NodeJoins,

    /// <summary>A node asks to be let go, ends, and comes again after a while.</summary>
    NodeLeaves,

    /// <summary>The coordinator freezes for a while.</summary>
    CoordinatorPauses,

    /// <summary>The coordinator is killed, and started again after a while.</summary>
    CoordinatorCrashes,

    /// <summary>
    /// The coordinator is cut off, with a few nodes or none, and another process takes over: until the old one hears of it there
    /// are two.
    /// </summary>
    TwoCoordinators,

    /// <summary>Writes of checkpoints take seconds for a while.</summary>
    DiskSlow,

    /// <summary>Writes of checkpoints fail for a while.</summary>
    DiskFails,

    /// <summary>Writes of checkpoints are not answered for a while.</summary>
    DiskAway,

    /// <summary>Writes are done, and told to have failed, every other one for a while: their answers are lost.</summary>
    DiskLosesAnswers,

    /// <summary>Writes of checkpoints are broken off for a while: some of their pieces are kept.</summary>
    DiskTears,

    /// <summary>A bit of what is kept of a checkpoint flips.</summary>
    DiskDamage,

    /// <summary>The job is paused, and resumed after a while.</summary>
    JobPauses,

    /// <summary>A job is cancelled; only where there are several.</summary>
    JobCancels,
}
