namespace DistributedBackprop.Server.Grpc;

/// <summary>The coordinator has not answered in time: it may have moved, and is to be looked for again.</summary>
internal sealed class NoAnswerException() : Exception("The coordinator does not answer.");
