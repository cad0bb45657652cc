using DistributedBackprop.Training.Explain;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DistributedBackprop.Cli.Explain;

/// <summary>The walk through an explanation on a terminal: one screen for each layer, forward and back.</summary>
/// <param name="run">What is shown.</param>
/// <param name="pauses">Whether to wait for a key after each screen.</param>
internal sealed class Walk(ExplainedRun run, bool pauses)
{
    private const int FileWidth = 120;

    private readonly IAnsiConsole _console = AnsiConsole.Console;
    private readonly Sentences _sentences = new(run);
    private readonly WalkTables _tables = new(run);
    private int _screen;

    /// <summary>Shows all screens; over a batch its figures alone.</summary>
    public void Show()
    {
        if (!_console.Profile.Out.IsTerminal)
        {
            // Nobody wraps the lines of a file.
            _console.Profile.Width = FileWidth;
        }

        if (run.Health is not null)
        {
            ShowHealth();
            return;
        }

        Screen("the example", _sentences.Example(), _tables.Network(), WalkTables.Vector("input", run.Pass.Features));
        var moments = run.Pass.Moments;
        for (var at = 0; at < moments.Count; at++)
        {
            ShowMoment(moments[at]);
        }

        Screen("with the table and without it", _sentences.Count());
        Line(_sentences.End());
    }

    private void ShowMoment(PassMoment moment)
    {
        var layer = moment.Layer;
        switch (moment.Kind)
        {
            case MomentKind.Forward:
                Screen($"forward: {run.NameOf(layer)}", _sentences.Forward(layer), _tables.Forward(layer));
                break;
            case MomentKind.Loss:
                Screen("the loss", _sentences.Loss(), WalkTables.Vector("∂L/∂output", run.Pass.LossDelta));
                break;
            case MomentKind.Delta:
                Screen($"back: {run.NameOf(layer)}", _sentences.Delta(layer), _tables.Delta(layer));
                break;
            case MomentKind.Gradient:
                // One screen a layer: gradient and update stand below its delta.
                Line(_sentences.Gradient(layer));
                _console.Write(_tables.Gradient(layer));
                break;
            default:
                Line(_sentences.Update(layer));
                break;
        }
    }

    private void ShowHealth()
    {
        Screen(
            $"{Words.Count(run.Batch, "example")} of {run.Run.Job.Name}",
            $"How well deltas reach each layer, over {Words.Count(run.Batch, "example")} from number {run.Example} on"
                + $"{(run.Steps == 0 ? "" : $", after {Words.Count(run.Steps)} steps")}.",
            _tables.Health());
        var remarkable = run.Health!.Value.Where(health => health.Verdict != HealthVerdict.Fed).ToList();
        remarkable.ForEach(health => Line(_sentences.Health(health)));
        if (remarkable.Count == 0)
        {
            Line("No layer starves: deltas of ordinary size reach every one of them.");
        }
    }

    private void Screen(string title, string sentence, params ReadOnlySpan<IRenderable> content)
    {
        if (_screen > 0)
        {
            Wait();
        }

        _screen++;
        _console.Write(new Rule(title.EscapeMarkup()).LeftJustified());
        Line(sentence);
        foreach (var item in content)
        {
            _console.Write(item);
        }
    }

    private void Line(string text) => _console.WriteLine(text);

    private void Wait()
    {
        if (!pauses || Console.IsInputRedirected || !_console.Profile.Out.IsTerminal)
        {
            return;
        }

        _console.Markup("[dim]any key for the next screen[/]");
        Console.ReadKey(intercept: true);
        _console.Clear();
    }
}
