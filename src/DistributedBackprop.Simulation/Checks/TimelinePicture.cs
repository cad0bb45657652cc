using System.Globalization;
using System.Net;
using System.Text;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>
/// Draws a timeline as SVG: one row for each kind, time from left to right. Time is drawn by what happens, not by the clock:
/// a second in which nothing happens is as short as a millisecond, and the seconds are written below.
/// </summary>
public static class TimelinePicture
{
    private const int Left = 110;
    private const int Top = 40;
    private const int RowHeight = 44;
    private const int Most = 1400;

    /// <summary>The picture: an SVG document.</summary>
    public static string Svg(Timeline timeline)
    {
        ArgumentNullException.ThrowIfNull(timeline);
        var tracks = Enum.GetValues<Timeline.Track>();
        var pitch = Math.Clamp((double)(Most - Left) / Math.Max(1, timeline.Entries.Length), 3, 24);
        var width = Left + (pitch * timeline.Entries.Length) + 30;
        var height = Top + (tracks.Length * RowHeight) + 40;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:F0} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{width:F0}\" height=\"{height}\" fill=\"#fff\"/>\n");
        svg.Append(CultureInfo.InvariantCulture,
            $"<text x=\"10\" y=\"20\" font-weight=\"bold\">seed {timeline.Run.Seed}: {Escaped(timeline.Run.IsRight ? "as it must be" : timeline.Run.Problems[0])}</text>\n");
        foreach (var track in tracks)
        {
            var y = YOf(track);
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"10\" y=\"{y + 4}\">{track}</text>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{y}\" x2=\"{width - 10:F0}\" y2=\"{y}\" stroke=\"#ccc\"/>\n");
        }

        for (var place = 0; place < timeline.Entries.Length; place++)
        {
            Draw(svg, timeline, place, pitch);
        }

        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>A page with the picture and the text below it.</summary>
    public static string Html(Timeline timeline) => $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>A simulated run</title></head>
        <body>
        {Svg(timeline)}
        <pre>{Escaped(timeline.ToText())}</pre>
        </body></html>

        """;

    private static void Draw(StringBuilder svg, Timeline timeline, int place, double pitch)
    {
        var entry = timeline.Entries[place];
        var x = Left + (pitch * place) + (pitch / 2);
        var y = YOf(entry.Track);
        var title = $"<title>{Escaped($"{Timeline.Seconds(entry.Time)} {entry.What}")}</title>";
        if (entry.Lasts > TimeSpan.Zero)
        {
            var end = timeline.Entries.Count(other => other.Time <= entry.Time + entry.Lasts);
            svg.Append(CultureInfo.InvariantCulture,
                $"<rect x=\"{x:F1}\" y=\"{y - 5 + (place % 3 * 4)}\" width=\"{Math.Max(2, Left + (pitch * end) - x):F1}\" height=\"3\" fill=\"#d66\" opacity=\"0.6\">{title}</rect>\n");
        }

        svg.Append(CultureInfo.InvariantCulture,
            $"<circle cx=\"{x:F1}\" cy=\"{y}\" r=\"{(entry.Track == Timeline.Track.Step ? 2 : 5)}\" fill=\"{ColourOf(entry.Track)}\">{title}</circle>\n");
        if (place % Math.Max(1, timeline.Entries.Length / 12) == 0)
        {
            svg.Append(CultureInfo.InvariantCulture,
                $"<text x=\"{x:F1}\" y=\"{Top + (Enum.GetValues<Timeline.Track>().Length * RowHeight) + 20}\" font-size=\"10\">{entry.Time.TotalSeconds:F3} s</text>\n");
        }
    }

    private static int YOf(Timeline.Track track) => Top + ((int)track * RowHeight) + (RowHeight / 2);

    private static string ColourOf(Timeline.Track track) => track switch
    {
        Timeline.Track.Fault => "#c22",
        Timeline.Track.Generation => "#26c",
        Timeline.Track.Checkpoint => "#292",
        Timeline.Track.Step => "#555",
        _ => "#a4a",
    };

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);
}
