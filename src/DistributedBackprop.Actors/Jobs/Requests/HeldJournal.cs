namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>Whether this process has had the coordinator's journal: it outlives the actors that have it in turn.</summary>
public sealed class HeldJournal
{
    /// <summary>Whether it has.</summary>
    public bool WasHeld { get; set; }
}
