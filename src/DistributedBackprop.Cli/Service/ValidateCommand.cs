using System.CommandLine;
using DistributedBackprop.Cli.Train;
using DistributedBackprop.Protocol;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop validate JOB</c>: whether a service would take a job.</summary>
internal static class ValidateCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("JOB") { Description = "The job file (YAML or JSON)." };
        return ServiceCommand.With(
            new Command("validate", "Ask a service whether it would take a job.") { path },
            async (parsed, connection, output, cancellation) =>
            {
                var file = parsed.GetValue(path)!;
                var response = await connection.Training.ValidateAsync(
                    new ValidateRequest { Document = JobLoading.Text(file), FileName = file },
                    connection.Options(ServiceCommand.Soon, cancellation));
                foreach (var error in response.Errors)
                {
                    if (!output.IsJson)
                    {
                        await Console.Error.WriteLineAsync(FormattableString.Invariant($"{file}:{error.Line}:{error.Column} {error.Message}"));
                    }
                }

                output.Print(
                    json =>
                    {
                        json.WriteBoolean("valid", response.Valid);
                        json.WriteStartArray("errors");
                        foreach (var error in response.Errors)
                        {
                            json.WriteStartObject();
                            json.WriteNumber("line", error.Line);
                            json.WriteNumber("column", error.Column);
                            json.WriteString("kind", error.Kind);
                            json.WriteString("message", error.Message);
                            json.WriteEndObject();
                        }

                        json.WriteEndArray();
                        json.WriteString("name", response.Name);
                        json.WriteNumber("layers", response.Layers);
                        json.WriteNumber("parameters", response.Parameters);
                        json.WriteNumber("memoryBytes", response.MemoryBytes);
                    },
                    response.Valid ? (FormattableString)$"{file}: {response.Name}, {response.Layers} layers, {response.Parameters:N0} parameters" : null);
                return response.Valid ? ExitCode.Done : ExitCode.Invalid;
            });
    }
}
