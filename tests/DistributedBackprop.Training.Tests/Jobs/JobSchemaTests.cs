using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Reading;
using NJsonSchema;

namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>The published schema says what the parser says, as far as a schema can.</summary>
public class JobSchemaTests
{
    private static JsonSchema Schema { get; } = JsonSchema.FromJsonAsync(JobSchema.Text).GetAwaiter().GetResult();

    private static string[] Sources { get; } = [ContractJob.Text, .. ExampleJobs.Paths.Select(File.ReadAllText)];

    private static string[] Values { get; } =
    [
        "null", "true", "7", "0", "-1", "0.5", "\"text\"", "\"relu\"", "\"\"", "[]", "{}", "[1]", "[\"input\"]", "{\"relu\":{}}",
        "{\"leakyRelu\":{}}", "{\"normal\":{\"std\":1}}", "{\"cosine\":{\"from\":1}}", "{\"step\":{}}", "{\"examples\":5}",
        "{\"parameters\":{\"every\":5}}", "{\"adam\":{}}", "{\"dense\":{\"units\":10}}", "\"softmaxCrossEntropy\"", "\"spirals\"",
    ];

    private static string[] Keys { get; } =
    [
        "name", "seed", "units", "unit", "inputs", "clip", "freeze", "epochs", "steps", "relu", "conv2d", "dense", "examples",
        "losses", "noise", "momentum", "axis", "rate", "everySteps",
    ];

    public static TheoryData<string> Names => ExampleJobs.Names;

    [Fact]
    public void The_embedded_one_is_the_published_one() =>
        JobSchema.Text.ShouldBe(ExampleJobs.TextOf("../job.schema.json"));

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_example_is_valid(string name) => SchemaErrors(ToJson(ExampleJobs.TextOf(name))).ShouldBeEmpty();

    [Fact]
    public void Every_job_in_canonical_form_is_valid() => RandomJobs.Any.Sample(
        job => SchemaErrors(JsonNode.Parse(CanonicalForm.Of(job))!).ShouldBeEmpty(CanonicalForm.Of(job)),
        iter: 500);

    [Fact]
    public void What_the_schema_refuses_the_parser_refuses_and_the_other_way_round_for_structure()
    {
        var counts = new int[3];
        Gen.Select(Gen.OneOf(Sources), Gen.Select(Gen.Int[0, 10_000], Gen.Int[0, 3], Gen.OneOf(Values), Gen.OneOf(Keys)).List[1, 2])
            .Sample(
                (source, mutations) =>
                {
                    var json = ToJson(source);
                    mutations.ForEach(mutation => Mutate(json, mutation));
                    var refused = SchemaErrors(json);
                    var errors = JobFile.Parse("job.json", json.ToJsonString()).Errors;
                    var structure = errors.Where(error => error.Kind == JobErrorKind.Structure).ToList();

                    if (refused.Count > 0)
                    {
                        errors.ShouldNotBeEmpty($"The schema says {string.Join("; ", refused)}\n{json}");
                    }

                    if (structure.Count > 0)
                    {
                        refused.ShouldNotBeEmpty($"The parser says {string.Join("; ", structure)}\n{json}");
                    }

                    Interlocked.Increment(ref counts[structure.Count > 0 ? 0 : errors.Length > 0 ? 1 : 2]);
                },
                iter: 2_000);

        // Mutations that all fall on one side would show nothing.
        counts[0].ShouldBeGreaterThan(250);
        counts[1].ShouldBeGreaterThan(25);
        counts[2].ShouldBeGreaterThan(25);
    }

    private static List<string> SchemaErrors(JsonNode json) =>
        [.. Schema.Validate(json.ToJsonString()).Select(error => error.ToString())];

    /// <summary>Removes, renames, adds or replaces one value somewhere in the tree.</summary>
    private static void Mutate(JsonNode root, (int Place, int How, string Value, string Key) mutation)
    {
        var places = Descendants(root).ToList();
        if (places.Count == 0)
        {
            return;
        }

        var node = places[mutation.Place % places.Count];
        var value = JsonNode.Parse(mutation.Value);
        switch (node.Parent)
        {
            case JsonObject parent:
                var key = node.GetPropertyName();
                Change(parent, key, mutation, value);
                break;
            case JsonArray parent when mutation.How == 0:
                parent.RemoveAt(node.GetElementIndex());
                break;
            case JsonArray parent:
                parent[node.GetElementIndex()] = value;
                break;
        }
    }

    private static void Change(JsonObject parent, string key, (int Place, int How, string Value, string Key) mutation, JsonNode? value)
    {
        switch (mutation.How)
        {
            case 0:
                parent.Remove(key);
                break;
            case 1:
                var moved = parent[key]!.DeepClone();
                parent.Remove(key);
                parent[mutation.Key] = moved;
                break;
            case 2:
                parent[mutation.Key] = value;
                break;
            default:
                parent[key] = value;
                break;
        }
    }

    private static IEnumerable<JsonNode> Descendants(JsonNode node)
    {
        var children = node switch
        {
            JsonObject mapping => mapping.Select(entry => entry.Value),
            JsonArray list => list,
            _ => [],
        };
        return children.OfType<JsonNode>().SelectMany(child => Descendants(child).Prepend(child));
    }

    private static JsonNode ToJson(string yaml) => ToJson(JobTree.Read(yaml, new JobErrors("job.yaml"))!);

    private static JsonNode ToJson(JobNode node) => node switch
    {
        MappingNode mapping => new JsonObject(mapping.Entries.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)ToJson(entry.Value)))),
        SequenceNode list => new JsonArray([.. list.Items.Select(ToJson)]),
        ScalarNode { Type: ScalarType.Flag } flag => JsonValue.Create(ScalarTypes.Flag(flag.Text)),
        ScalarNode { Type: ScalarType.Integer } integer => JsonValue.Create(ScalarTypes.Integer(integer.Text)!.Value),
        ScalarNode { Type: ScalarType.Number } number => JsonValue.Create(ScalarTypes.Number(number.Text)),
        ScalarNode text => JsonValue.Create(text.Text),
        _ => throw new JsonException($"{node.Shown} has no JSON."),
    };
}
