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

    /// <summary>Shows all screens, or as many as are wanted; over a batch its figures alone.</summary>
    /// <param name="cancellation">Ends the wait for a key.</param>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public async Task ShowAsync(CancellationToken cancellation)
    {
        if (!_console.Profile.Out.IsTerminal)
        {
            // Nobody wraps the lines of a file.
            _console.Profile.Width = FileWidth;
        }

        if (run.Batch is not null)
        {
            ShowBatch(run.Batch);
            return;
        }

        Screen("the example", _sentences.Example(), _tables.Network(), WalkTables.Vector("input", run.Pass.Features));
        foreach (var moment in run.Pass.Moments)
        {
            // One screen a layer: gradient and update stand below its delta.
            if (moment.Kind is not (MomentKind.Gradient or MomentKind.Update) && !await GoesOnAsync(cancellation))
            {
                return;
            }

            ShowMoment(moment);
        }

        if (await GoesOnAsync(cancellation))
        {
            Screen("with the table and without it", _sentences.Count());
            Line(_sentences.End());
        }
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
                Line(_sentences.Gradient(layer));
                _console.Write(_tables.Gradient(layer));
                break;
            default:
                Line(_sentences.Update(layer));
                break;
        }
    }

    private void ShowBatch(RecordedPass batch)
    {
        var examples = Words.Count(batch.Examples, "example");
        Screen(
            $"{examples} of {run.Run.Job.Name}",
            $"How well deltas reach each layer, over {examples} from number {run.Example} on"
                + $"{(run.Steps == 0 ? "" : $", after {Words.Steps(run.Steps)}")}.",
            _tables.Health());
        Line(_sentences.Judged());
        _sentences.Remarkable().ToList().ForEach(Line);
    }

    private void Screen(string title, string sentence, params ReadOnlySpan<IRenderable> content)
    {
        _console.Write(new Rule(title.EscapeMarkup()).LeftJustified());
        Line(sentence);
        foreach (var item in content)
        {
            _console.Write(item);
        }
    }

    private void Line(string text) => _console.WriteLine(text);

    // Whether the next screen is wanted.
    private async Task<bool> GoesOnAsync(CancellationToken cancellation)
    {
        if (!pauses || Console.IsInputRedirected || !_console.Profile.Out.IsTerminal)
        {
            return true;
        }

        _console.Markup("[dim]Enter for the next screen, q to end[/]");
        try
        {
            // Nothing else ends a read from the terminal: Ctrl-C leaves it behind.
            var key = await Task.Run(() => Console.ReadKey(intercept: true), cancellation).WaitAsync(cancellation);
            if (key.Key != ConsoleKey.Q)
            {
                _console.Clear();
                return true;
            }
        }
        catch (OperationCanceledException)
        {
            Line("");
            throw;
        }

        Line("");
        return false;
    }
}
