namespace DistributedBackprop.Server.Telemetry;

/// <summary>How a node writes its log.</summary>
public enum LogFormat
{
    /// <summary>A line for people.</summary>
    Text,

    /// <summary>A JSON object a line, for programs.</summary>
    Json,
}
