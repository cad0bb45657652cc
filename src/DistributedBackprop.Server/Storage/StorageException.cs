namespace DistributedBackprop.Server.Storage;

/// <summary>What is kept on disk or in a database cannot be used; the message says what, where and why.</summary>
/// <param name="message">For people.</param>
/// <param name="cause">What was thrown; null where nothing was.</param>
public sealed class StorageException(string message, Exception? cause = null) : Exception(message, cause);
