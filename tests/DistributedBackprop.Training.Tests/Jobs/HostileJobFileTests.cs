using System.Text;
using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>Files that are meant to break the reader: it gives a job or errors, never an exception, and soon.</summary>
public class HostileJobFileTests
{
    private static string[] Sources { get; } = [ContractJob.Text, .. ExampleJobs.Paths.Select(File.ReadAllText)];

    private static string[] Fragments { get; } =
    [
        "\t", "\n", "\r", "  ", ": ", "- ", "? ", "[", "]", "{", "}", ",", "#", "&a ", "*a", "!!int ", "!x ", "|", ">", "'", "\"",
        "%YAML 1.2", "---", "...", "<<", "\\", "\0", "\u0085", "\u2028", "\uFEFF", "\uD83D", "😀", "~", "null", "true", "0x",
        ".nan", "-.inf", "1e999", "-0", "9223372036854775808", "99999999999999999999999", "0.1", "input", "dense", "add",
        "inputs: [input, input]", "units: -1", "\"\\uD800\"", "\"\\x07\"", "@", "`", "|2-\n", "? [a]\n: b\n", "{a: {a: {a: ",
    ];

    private static Gen<string> Mutated { get; } =
        from source in Gen.OneOf(Sources)
        from edits in Gen.Select(Gen.Double[0, 1], Gen.Int[0, 12], Gen.OneOf(Fragments)).List[1, 6]
        select edits.Aggregate(source, (text, edit) =>
        {
            var (place, length, fragment) = edit;
            var start = (int)(place * text.Length);
            return text[..start] + fragment + text[Math.Min(text.Length, start + length)..];
        });

    [Fact]
    public void No_mutation_of_a_job_throws() => Mutated.Sample(Survives, iter: 10_000);

    [Fact]
    public void No_soup_of_fragments_throws() =>
        Gen.OneOf(Fragments).List[0, 40].Select(string.Concat).Sample(Survives, iter: 10_000);

    [Fact]
    public void No_random_text_throws() => Gen.String[0, 60].Sample(Survives, iter: 5_000);

    [Fact]
    public void No_random_bytes_throw() =>
        Gen.Byte.Array[0, 60].Sample(bytes => Consistent(JobFile.Parse("job.yaml", bytes)), iter: 5_000);

    [Fact]
    public void No_value_in_any_place_throws() =>
        Gen.Select(Gen.OneOf(Sources), Gen.Double[0, 1], Gen.OneOf(Fragments)).Sample(
            (source, place, value) =>
            {
                // Whatever stands after some colon becomes something else: most are well-formed YAML, so the readers see them.
                var colons = Enumerable.Range(0, source.Length - 1).Where(i => source[i] == ':' && source[i + 1] == ' ').ToList();
                var from = colons[(int)(place * (colons.Count - 1))] + 2;
                var to = source.IndexOfAny([',', '}', ']', '\n'], from);
                Survives(source[..from] + value + source[(to < 0 ? source.Length : to)..]);
            },
            iter: 5_000);

    [Fact]
    public void Deep_nesting_is_refused()
    {
        foreach (var open in (string[])["[", "{a: ", "{\"a\":", "- ", "? ", "[{a: "])
        {
            var text = string.Concat(Enumerable.Repeat(open, JobFile.MaxLength / open.Length));

            var error = JobFile.Parse("job.yaml", text).Errors.First();

            error.Kind.ShouldBe(JobErrorKind.Syntax);
            error.Line.ShouldBe(1);
        }

        JobFile.Parse("job.yaml", new string('[', 33)).Errors.ShouldHaveSingleItem().ToString()
            .ShouldBe("job.yaml:1:33 mappings and lists may be nested at most 32 deep");
    }

    [Fact]
    public void An_alias_bomb_stays_small()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 20; i++)
        {
            bomb.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]");
        }

        var errors = JobFile.Parse("job.yaml", bomb.ToString()).Errors;

        errors.ShouldContain(error => error.ToString() == "job.yaml:1:5 anchors are not allowed in a job file (was &a0)");
        errors.ShouldContain(error => error.ToString() == "job.yaml:2:10 aliases are not allowed in a job file (was *a0)");
    }

    [Theory]
    [InlineData("- 1\n")]
    [InlineData("1, ")]
    public void Too_many_values_are_refused(string item)
    {
        var text = (item[0] == '1' ? "[" : "") + string.Concat(Enumerable.Repeat(item, 110_000));

        JobFile.Parse("job.yaml", text).Errors.First().Message.ShouldBe("a list may have at most 4096 items");
    }

    [Fact]
    public void Of_very_many_mistakes_the_first_hundred_are_told()
    {
        var errors = JobFile.Parse("job.yaml", "a: 1\n" + string.Concat(Enumerable.Repeat("a: 1\n", 10_000))).Errors;
        errors.Length.ShouldBe(101);
        errors[0].ToString().ShouldBe("job.yaml:2:1 the key 'a' is here twice, first at 1:1");
        errors[^1].ToString().ShouldBe("job.yaml:101:1 100 things are wrong until here: the rest is not read");
    }

    [Fact]
    public void A_word_without_end_is_refused()
    {
        JobFile.Parse("job.yaml", "name: " + new string('?', 100_000)).Errors.ShouldHaveSingleItem().ToString()
            .ShouldBe("job.yaml:1:7 no word in a job file is longer than 4096 characters");
        JobFile.Parse("job.yaml", "name: " + new string('a', 4096) + "\nseed: x").Errors
            .ShouldNotContain(error => error.Message.Contains("word", StringComparison.Ordinal));
    }

    [Fact]
    public void A_megabyte_of_one_thing_is_read_or_refused()
    {
        foreach (var fragment in Fragments.Append("a: b\n").Append("a\n").Append("a ").Append("# x\n").Append("'a', "))
        {
            Survives(string.Concat(Enumerable.Repeat(fragment, (JobFile.MaxLength / fragment.Length) - 1)));
            Survives("name: " + string.Concat(Enumerable.Repeat(fragment, JobFile.MaxLength / 16 / fragment.Length)));
        }
    }

    [Fact]
    public void A_model_of_very_many_layers_is_refused()
    {
        var layers = string.Concat(Enumerable.Repeat("- relu\n", 4_000));

        var result = JobFile.Parse("job.yaml", $$"""
            name: deep
            data: { format: xor }
            loss: softmaxCrossEntropy
            optimizer: { adam: {} }
            training: { batchSize: 1, epochs: 1 }
            model:
              input: [2]
              layers:

            """ + layers.Replace("-", "  -", StringComparison.Ordinal));

        result.Errors.ShouldHaveSingleItem().ToString().ShouldBe("job.yaml:9:3 layers must have at most 2048 layers (has 4000)");
    }

    [Fact]
    public void A_long_value_is_shown_cut() =>
        JobFile.Parse("job.yaml", "name: " + new string('é', 4_000)).Errors.ShouldContain(
            error => error.Message.EndsWith($"(was '{new string('é', 59)}…')", StringComparison.Ordinal));

    private static void Survives(string text) => Consistent(JobFile.Parse("job.yaml", text));

    private static void Consistent(JobFileResult result)
    {
        (result.Job is null).ShouldBe(!result.Errors.IsEmpty);

        // Fifty thousand errors of one kind show no more than these.
        for (var i = 0; i < Math.Min(200, result.Errors.Length); i++)
        {
            var (error, before) = (result.Errors[i], result.Errors[Math.Max(0, i - 1)]);
            (error.Line, error.Column).CompareTo((before.Line, before.Column)).ShouldBeGreaterThanOrEqualTo(0);
            error.Message.ShouldAllBe(c => !char.IsControl(c));
            error.Message.Length.ShouldBeLessThan(600);
        }

        if (result.IsValid)
        {
            // What is accepted is complete: it has a canonical form that says the same.
            JobFile.Parse("canonical", CanonicalForm.Of(result.Job)).Job.ShouldBe(result.Job);
        }
    }
}
