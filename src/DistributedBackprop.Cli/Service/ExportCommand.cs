using System.CommandLine;
using System.Globalization;
using DistributedBackprop.Protocol;
using Grpc.Core;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop export ID FILE</c>: the weights of a completed job.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var id = ServiceCommand.JobId();
        var file = new Argument<string>("FILE") { Description = "The safetensors file to write; it appears whole or not at all." };
        return ServiceCommand.With(
            new Command("export", "Write the weights of a completed job to a file.") { id, file },
            async (parsed, connection, output, cancellation) =>
            {
                var path = Path.GetFullPath(parsed.GetValue(file)!);
                var job = parsed.GetValue(id)!;
                var bytes = await WriteAsync(connection, job, path, cancellation);
                output.Print(
                    json =>
                    {
                        json.WriteString("jobId", job);
                        json.WriteString("file", path);
                        json.WriteNumber("bytes", bytes);
                    },
                    $"{path}: {bytes:N0} bytes");
                return ExitCode.Done;
            });
    }

    private static async Task<long> WriteAsync(ServiceConnection connection, string id, string path, CancellationToken cancellation)
    {
        var part = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.part");
        try
        {
            long bytes = 0;
            await using (var stream = File.Create(part))
            {
                using var call = connection.Models.Export(new ExportRequest { Id = id }, connection.Options(null, cancellation));
                await foreach (var chunk in call.ResponseStream.ReadAllAsync(cancellation))
                {
                    await stream.WriteAsync(chunk.Data.Memory, cancellation);
                    bytes += chunk.Data.Length;
                }
            }

            File.Move(part, path, overwrite: true);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Invalid, $"backprop: {path}: cannot be written: {e.Message}");
        }
        finally
        {
            File.Delete(part);
        }
    }
}
