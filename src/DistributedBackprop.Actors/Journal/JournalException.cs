namespace DistributedBackprop.Actors.Journal;

/// <summary>A journal tells what cannot have happened: rows are missing, or there twice, or were written by two.</summary>
/// <param name="message">What, after what.</param>
public sealed class JournalException(string message) : Exception(message);
