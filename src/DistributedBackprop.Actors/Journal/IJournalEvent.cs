namespace DistributedBackprop.Actors.Journal;

/// <summary>
/// Something that happened for good, or the sum of it. <see cref="JournalSerializer"/> writes it; each has an entry in one of its tables.
/// </summary>
#pragma warning disable CA1040 // Serializers are bound to types: this is the type.
public interface IJournalEvent;
#pragma warning restore CA1040

/// <summary>An event of one job's journal; what it is a journal of says <see cref="JobHistory"/>.</summary>
public abstract record JobRecord : IJournalEvent;

/// <summary>An event of the coordinator's journal; what follows from them says <see cref="CoordinatorHistory"/>.</summary>
public abstract record CoordinatorRecord : IJournalEvent;
