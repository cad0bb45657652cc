using System.Text.Json;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Cli.Output;

/// <summary>What a run cost, as a property of its last event.</summary>
internal static class StatisticsJson
{
    public static void Write(Utf8JsonWriter json, RunStatistics statistics)
    {
        json.WriteStartObject("statistics");
        json.WriteNumber("averagingBytes", statistics.AveragingBytes);
        json.WriteNumber("averagingRounds", statistics.AveragingRounds);
        json.WriteNumber("averagingSeconds", statistics.AveragingSeconds);
        if (statistics.Bubble is { } bubble)
        {
            json.WriteNumber("bubble", bubble);
        }

        if (statistics.LastBubble is { } last)
        {
            json.WriteNumber("lastBubble", last);
        }

        json.WriteNumber("bubbleOfSchedule", statistics.BubbleOfSchedule);
        json.WriteStartArray("generations");
        foreach (var generation in statistics.Generations)
        {
            json.WriteStartObject();
            json.WriteNumber("generation", generation.Generation);
            json.WriteNumber("afterStep", generation.AfterStep);
            json.WriteStartArray("nodes");
            foreach (var node in generation.Nodes)
            {
                Write(json, node);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, NodeStatistics node)
    {
        json.WriteStartObject();
        json.WriteString("node", node.Node);
        json.WriteNumber("processId", node.ProcessId);
        json.WriteNumber("averagingBytes", node.AveragingBytes);
        json.WriteNumber("overlaps", node.Overlaps);
        json.WriteStartArray("stages");
        foreach (var stage in node.Stages)
        {
            json.WriteStartObject();
            json.WriteNumber("replica", stage.Replica);
            json.WriteNumber("stage", stage.Stage);
            json.WriteNumber("busySeconds", stage.BusySeconds);
            json.WriteNumber("bubble", stage.Bubble);
            json.WriteNumber("bubbleSteps", stage.BubbleSteps);
            json.WriteNumber("lastBubble", stage.LastBubble);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("links");
        foreach (var link in node.Links)
        {
            json.WriteStartObject();
            json.WriteString("to", link.To);
            json.WriteNumber("activationBytes", link.Activations);
            json.WriteNumber("deltaBytes", link.Deltas);
            json.WriteNumber("averagingBytes", link.Averaging);
            json.WriteNumber("stateBytes", link.State);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
