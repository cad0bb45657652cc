using System.Net;
using System.Text;
using DistributedBackprop.Cli.Output;

namespace DistributedBackprop.Cli.Explain;

/// <summary>
/// The page that shows an explanation in a browser: one file, with style, script and the events in it. Nothing is fetched.
/// </summary>
/// <param name="path">Where.</param>
/// <exception cref="CommandException">The file cannot be written.</exception>
internal sealed class PageFile(string path)
{
    // In the order in which they use each other.
    private static readonly string[] _scripts = ["numbers.js", "graph.js", "details.js", "page.js"];

    private readonly WholeFile _file = new(path);

    /// <exception cref="CommandException">The file cannot be written.</exception>
    public void Write(ExplainedRun run) => _file.Write(stream => stream.Write(Encoding.UTF8.GetBytes(PageOf(run))));

    private static string PageOf(ExplainedRun run) => Resource("page.html")
        .Replace("{{title}}", WebUtility.HtmlEncode($"{run.Run.Job.Name}: the chain rule at work"), StringComparison.Ordinal)
        .Replace("{{style}}", Resource("page.css"), StringComparison.Ordinal)
        .Replace("{{script}}", string.Join('\n', _scripts.Select(Resource)), StringComparison.Ordinal)
        .Replace("{{events}}", EventsOf(run), StringComparison.Ordinal);

    // The writer escapes '<', so no text in there can end the script element; a test holds it.
    private static string EventsOf(ExplainedRun run)
    {
        using var buffer = new MemoryStream();
        var separator = '[';
        new ExplainEvents(run).WriteAll(members =>
        {
            buffer.WriteByte((byte)separator);
            separator = ',';
            JsonLine.Write(buffer, members);
        });
        buffer.WriteByte((byte)']');
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static string Resource(string name)
    {
        using var stream = typeof(PageFile).Assembly.GetManifestResourceStream($"explain.{name}")
            ?? throw new InvalidOperationException($"The program lacks its part {name}.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
