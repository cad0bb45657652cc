using System.Diagnostics;
using System.Globalization;
using System.Text;
using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Grpc;
using Grpc.Core;
using Xunit.Abstractions;

namespace DistributedBackprop.Server.Tests.Grpc;

/// <summary>Two hundred job files that mean ill: each is refused, and takes little memory.</summary>
public sealed class HostileJobsTests(ITestOutputHelper output)
{
    private const long MostBytes = 16 << 20;

    private static readonly string[] _numbers =
    [
        "-1", "-2147483648", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808",
        "18446744073709551616", "1e308", "1e999", "-1e999", ".inf", "-.inf", ".nan", "0x7fffffffffffffff", "99999999999999999999999999",
        "''", "null", "[]", "{}",
    ];

    private static readonly string[] _places =
    [
        "units: 8", "units: 1", "examples: 400", "examples: 200", "batchSize: 32", "input: [2]",
    ];

    private static readonly string[] _paths =
    [
        "../../etc/passwd", "/etc/passwd", "a/../../b", "..", "./../x", "data\\0x", "C:\\\\x", "//server/share", "a/./../../b", "",
    ];

    [Fact]
    public void Each_is_refused_for_little_memory()
    {
        var files = Files().Take(200).ToList();
        files.Count.ShouldBe(200);
        var costs = new List<(TimeSpan Time, long Bytes, string File)>();

        // What is compiled at the first call is no job's.
        Refusal(files[0]);
        foreach (var file in files)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var began = Stopwatch.GetTimestamp();
            var refusal = Refusal(file);
            var passed = Stopwatch.GetElapsedTime(began);
            var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            refusal.ShouldNotBeNull(file[..Math.Min(file.Length, 500)]).StatusCode
                .ShouldBeOneOf(StatusCode.InvalidArgument, StatusCode.ResourceExhausted);
            bytes.ShouldBeLessThan(MostBytes, file[..Math.Min(file.Length, 500)]);
            costs.Add((passed, bytes, file));
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{files.Count} files, at most {costs.Max(cost => cost.Bytes):N0} bytes and {costs.Max(cost => cost.Time).TotalMilliseconds:F1} ms each; the slowest:"));
        foreach (var (time, bytes, file) in costs.OrderByDescending(cost => cost.Time).Take(5))
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{time.TotalMilliseconds,6:F1} ms {bytes,12:N0} bytes: {file.Length:N0} characters from {file[..Math.Min(file.Length, 40)].ReplaceLineEndings("|")}"));
        }
    }

    private static RpcException? Refusal(string document)
    {
        try
        {
            JobDocuments.Read(new SubmitRequest { Id = "hostile", Document = document }, new JobLimits());
            return null;
        }
        catch (RpcException e)
        {
            return e;
        }
    }

    private static IEnumerable<string> Files()
    {
        var job = ServiceNode.Xor();
        foreach (var place in _places)
        {
            var key = place[..place.IndexOf(':', StringComparison.Ordinal)];
            foreach (var number in _numbers)
            {
                yield return job.Replace(place, key == "input" ? $"input: [{number}, 100000, 100000]" : $"{key}: {number}", StringComparison.Ordinal);
            }
        }

        foreach (var path in _paths)
        {
            yield return job.Replace(
                "{ format: xor, train: { examples: 400 }, test: { examples: 200 }, noise: 0.1 }",
                $"{{ format: idx, train: {{ features: \"{path}\", labels: \"{path}\" }} }}",
                StringComparison.Ordinal);
        }

        for (var depth = 100; depth <= 100_000; depth *= 10)
        {
            yield return new string('[', depth);
            yield return string.Concat(Enumerable.Repeat("a: {", depth));
            yield return job + "\nextra: " + new string('[', depth) + new string(']', depth);
            yield return string.Concat(Enumerable.Repeat("- ", depth));
        }

        // Aliases: each doubles the one before.
        for (var levels = 5; levels <= 60; levels += 5)
        {
            var bomb = new StringBuilder("a0: &a0 [x, x]\n");
            for (var level = 1; level <= levels; level++)
            {
                bomb.Append(CultureInfo.InvariantCulture, $"a{level}: &a{level} [*a{level - 1}, *a{level - 1}]\n");
            }

            yield return bomb.ToString();
            yield return job + "\n" + bomb;
        }

        // Layers that feed each other, or themselves.
        yield return job.Replace("{ dense: { units: 1 } }", "{ dense: { units: 1 }, name: b, inputs: [b] }", StringComparison.Ordinal);
        yield return job.Replace("layers: [", "layers: [ { add: {}, name: x, inputs: [y, y] }, { add: {}, name: y, inputs: [x, x] }, ", StringComparison.Ordinal);

        // Large ones, random ones, those that never end a text.
        yield return new string('a', 2 << 20);
        yield return "name: \"" + new string('x', 1 << 20);
        yield return "? " + new string('?', 100_000);
        yield return job + string.Concat(Enumerable.Repeat("\nmodel: {}", 10_000));
        yield return job.Replace("layers: [", "layers: [ " + string.Concat(Enumerable.Repeat("{ dense: { units: 1 } }, ", 20_000)), StringComparison.Ordinal);
        yield return job + "\n--- \n" + job;
        yield return "%YAML 9.9\n---\n" + job;
        yield return "!!python/object/apply:os.system [\"true\"]";
        yield return job.Replace("seed: 1", "seed: !!binary aGVsbG8=", StringComparison.Ordinal);
        var random = new Random(1);
        while (true)
        {
            // The job with some characters changed, so many that it is none any more.
            var text = job.ToCharArray();
            for (var i = 0; i < 40; i++)
            {
                text[random.Next(text.Length)] = (char)random.Next(1, 0x2fff);
            }

            yield return new string(text);
        }
    }
}
