using System.CommandLine;
using System.Globalization;
using DistributedBackprop.Protocol;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop predict ID FILE</c>: the outputs of a trained network.</summary>
internal static class PredictCommand
{
    private const int NumbersAtOnce = 1 << 20;

    private static readonly char[] _between = [' ', '\t', ',', ';', '[', ']'];

    public static Command Create()
    {
        var id = ServiceCommand.JobId();
        var file = new Argument<string>("FILE") { Description = "Examples, one a line: numbers with spaces or commas between them. '-' is standard input." };
        return ServiceCommand.With(
            new Command("predict", "Apply to examples what a job has trained: its weights, or those of its newest checkpoint.") { id, file },
            async (parsed, connection, output, cancellation) =>
            {
                var request = new PredictRequest { Id = parsed.GetValue(id) };
                var path = parsed.GetValue(file)!;
                using var lines = Open(path);
                var line = 0;
                var width = 0;
                while (await lines.ReadLineAsync(cancellation) is { } text)
                {
                    line++;
                    var before = request.Features.Count;
                    Read(text, path, line, request);
                    var numbers = request.Features.Count - before;
                    width = width == 0 ? numbers : width;
                    if (numbers != 0 && numbers != width)
                    {
                        throw new CommandException(ExitCode.Invalid, string.Create(
                            CultureInfo.InvariantCulture, $"{path}:{line}:1 an example must have {width} numbers, as those before it (has {numbers})"));
                    }

                    if (request.Features.Count >= NumbersAtOnce)
                    {
                        await PredictAsync(connection, request, output, cancellation);
                    }
                }

                await PredictAsync(connection, request, output, cancellation);
                return ExitCode.Done;
            });
    }

    private static async Task PredictAsync(
        ServiceConnection connection, PredictRequest request, ServiceOutput output, CancellationToken cancellation)
    {
        var response = await connection.Models.PredictAsync(request, connection.Options(TimeSpan.FromMinutes(5), cancellation));
        request.Features.Clear();
        for (var example = 0; example < response.Examples; example++)
        {
            var outputs = response.Outputs.Skip(example * response.Width).Take(response.Width).ToList();
            var found = response.Classes[example];
            output.Print(
                json =>
                {
                    json.WriteNumber("step", response.Step);
                    json.WriteNumber("class", found);
                    json.WriteStartArray("outputs");
                    foreach (var value in outputs)
                    {
                        if (float.IsFinite(value))
                        {
                            json.WriteNumberValue(value);
                        }
                        else
                        {
                            json.WriteNullValue();
                        }
                    }

                    json.WriteEndArray();
                },
                $"{found} {string.Join(' ', outputs.Select(value => value.ToString("R", CultureInfo.InvariantCulture)))}");
        }
    }

    private static void Read(string text, string path, int line, PredictRequest request)
    {
        foreach (var word in text.Split(_between, StringSplitOptions.RemoveEmptyEntries))
        {
            if (!float.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !float.IsFinite(value))
            {
                throw new CommandException(ExitCode.Invalid, string.Create(
                    CultureInfo.InvariantCulture, $"{path}:{line}:{text.IndexOf(word, StringComparison.Ordinal) + 1} must be a finite number (was '{word}')"));
            }

            request.Features.Add(value);
        }
    }

    private static TextReader Open(string path)
    {
        try
        {
            return path == "-" ? Console.In : new StreamReader(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(ExitCode.NotFound, $"{path}: there is no such file of examples");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Invalid, $"{path}: cannot be read: {e.Message}");
        }
    }
}
