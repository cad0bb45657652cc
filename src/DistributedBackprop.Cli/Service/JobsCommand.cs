using System.CommandLine;
using DistributedBackprop.Protocol;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop jobs</c>: the jobs of a service.</summary>
internal static class JobsCommand
{
    private const int PageSize = 500;

    public static Command Create()
    {
        var states = new Option<string[]>("--state") { Description = "Only those in this state: waiting, running, paused, completed, failed or cancelled.", HelpName = "STATE" };
        states.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => StateOf(token.Value) is null))
            {
                result.AddError($"--state must be waiting, running, paused, completed, failed or cancelled (was {token.Value})");
            }
        });
        return ServiceCommand.With(
            new Command("jobs", "List the jobs of a service.") { states },
            async (parsed, connection, output, cancellation) =>
            {
                var request = new ListRequest { PageSize = PageSize };
                request.States.AddRange((parsed.GetValue(states) ?? []).Select(state => StateOf(state)!.Value));
                do
                {
                    var page = await connection.Training.ListAsync(request, connection.Options(ServiceCommand.Soon, cancellation));
                    foreach (var job in page.Jobs)
                    {
                        output.Print(job);
                    }

                    request.PageToken = page.NextPageToken;
                }
                while (request.PageToken.Length > 0);
                return ExitCode.Done;
            });
    }

    private static JobState? StateOf(string word) =>
        Enum.TryParse<JobState>(word, ignoreCase: true, out var state) && state != JobState.Unspecified && char.IsAsciiLetter(word[0]) ? state : null;
}
