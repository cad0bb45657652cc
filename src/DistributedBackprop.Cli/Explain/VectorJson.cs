using System.Text.Json;
using DistributedBackprop.Training.Explain;

namespace DistributedBackprop.Cli.Explain;

/// <summary>Vectors in JSON: all elements, or what sums them up, or both.</summary>
internal static class VectorJson
{
    /// <summary>Up to so many elements, all are written.</summary>
    public const int MostValues = 1024;

    /// <summary>Beyond so many, a summary is written too.</summary>
    public const int FewValues = 16;

    /// <summary>Writes a vector as a member of an object; null where there is none.</summary>
    public static void Write(Utf8JsonWriter json, string name, float[]? values)
    {
        if (values is null)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        json.WriteNumber("length", values.Length);
        json.WriteNumber("norm", VectorSummary.NormOf(values));
        if (values.Length > FewValues)
        {
            WriteSummary(json, VectorSummary.Of(values));
        }

        if (values.Length <= MostValues)
        {
            WriteValues(json, "values", values);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes all elements as an array.</summary>
    public static void WriteValues(Utf8JsonWriter json, string name, ReadOnlySpan<float> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }

    private static void WriteSummary(Utf8JsonWriter json, VectorSummary summary)
    {
        json.WriteNumber("least", summary.Least);
        json.WriteNumber("greatest", summary.Greatest);
        json.WriteStartArray("histogram");
        foreach (var count in summary.Histogram)
        {
            json.WriteNumberValue(count);
        }

        json.WriteEndArray();
        json.WriteStartArray("largest");
        foreach (var entry in summary.Largest)
        {
            json.WriteStartObject();
            json.WriteNumber("index", entry.Index);
            json.WriteNumber("value", entry.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
