using System.Collections.Immutable;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Turns drafts of layers into layers: gives names, finds inputs, checks that shapes fit and nothing lies idle.</summary>
internal sealed class LayerGraph(ImmutableArray<LayerDraft> drafts, Shape? input, JobErrors errors)
{
    private readonly string?[] _names = new string?[drafts.Length];
    private readonly Shape?[] _shapes = new Shape?[drafts.Length];
    private readonly bool[] _isConsumed = new bool[drafts.Length];
    private readonly Dictionary<string, int> _places = [];

    // A layer that nothing seems to consume may be what a misspelt input means: then only the misspelling is reported.
    private bool _hasUnknownInputs;

    /// <summary>The last layer's output for one example; null when it cannot be told.</summary>
    public Shape? Output => _shapes[^1];

    /// <summary>The layers, complete; null when something is wrong, which is reported by then.</summary>
    public ImmutableArray<ModelLayer>? Resolve()
    {
        GiveNames();
        var layers = ImmutableArray.CreateBuilder<ModelLayer>(drafts.Length);
        for (var place = 0; place < drafts.Length; place++)
        {
            var draft = drafts[place];
            var inputs = FindInputs(place);
            InferShape(place, inputs);
            if (draft.Kind is not null && _names[place] is { } name && !inputs.Contains(null))
            {
                layers.Add(new ModelLayer(
                    name, [.. inputs.Select(found => found!.Value.Name)], draft.Kind, draft.LearningRateFactor));
            }
        }

        CheckConsumed();
        return layers.Count == drafts.Length ? layers.ToImmutable() : null;
    }

    private void GiveNames()
    {
        var counts = new Dictionary<string, int>();
        for (var place = 0; place < drafts.Length; place++)
        {
            var draft = drafts[place];
            if (draft.Word is { } word)
            {
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }

            _names[place] = draft.Name ?? (draft.Word is null || draft.HasBrokenName ? null : $"{draft.Word}{counts[draft.Word]}");
            if (_names[place] is { } name && !_places.TryAdd(name, place))
            {
                var first = drafts[_places[name]].At;
                errors.Value(
                    draft.NameAt, $"the name {ScalarNode.Clean(name)} is taken by the layer at {first.Line}:{first.Column}");
            }
        }
    }

    /// <summary>A layer's inputs by name, with their places (−1 for the example); null for one that is not there.</summary>
    private List<(string Name, int Place)?> FindInputs(int place)
    {
        if (drafts[place].Inputs is not { } given)
        {
            Consume(place - 1);
            var before = place == 0 ? Model.InputName : _names[place - 1];
            return [before is null ? null : (before, place - 1)];
        }

        return [.. given.Select(one => FindInput(one, place))];
    }

    private (string Name, int Place)? FindInput(InputDraft wanted, int place)
    {
        if (wanted.Name == Model.InputName)
        {
            return (Model.InputName, -1);
        }

        if (wanted.Name is not null && _places.TryGetValue(wanted.Name, out var found) && found < place)
        {
            Consume(found);
            return (wanted.Name, found);
        }

        _hasUnknownInputs = true;
        if (wanted.Name is not null)
        {
            ReportUnknownInput(wanted.Name, wanted.At, place);
        }

        return null;
    }

    private void ReportUnknownInput(string name, Position at, int place)
    {
        var what = $"an input must be an earlier layer or input (was '{ScalarNode.Clean(name)}'";
        if (_places.TryGetValue(name, out var found))
        {
            errors.Value(at, what + (found == place ? ", the layer itself)" : ", a later layer)"));
            return;
        }

        List<string> candidates = [Model.InputName, .. _names.Take(Math.Min(place, 200)).OfType<string>()];
        errors.Value(at, $"{what}){Suggestion.For(name, candidates)}");
    }

    private void Consume(int place)
    {
        if (place >= 0)
        {
            _isConsumed[place] = true;
        }
    }

    private void InferShape(int place, List<(string Name, int Place)?> inputs)
    {
        if (drafts[place].Kind is not { } kind)
        {
            return;
        }

        var label = _names[place] ?? drafts[place].Word!;
        if (ModelShapes.CountMisfit(kind, inputs.Count) is { } misfit)
        {
            errors.Value(drafts[place].At, $"{label} {misfit}");
            return;
        }

        var shapes = inputs.Select(found => found is not { } known ? null : known.Place < 0 ? input : _shapes[known.Place]);
        ImmutableArray<Shape> known = [.. shapes.OfType<Shape>()];
        if (known.Length < inputs.Count)
        {
            return;
        }

        if (ModelShapes.TryInfer(kind, known, out var shape, out misfit))
        {
            _shapes[place] = shape.Output;
        }
        else
        {
            errors.Value(drafts[place].At, $"{label} {misfit}");
        }
    }

    private void CheckConsumed()
    {
        // A layer that could not be read may have named its inputs in what was not understood.
        if (_hasUnknownInputs || drafts.Any(draft => draft.Kind is null))
        {
            return;
        }

        for (var place = 0; place < drafts.Length - 1; place++)
        {
            if (!_isConsumed[place])
            {
                errors.Value(
                    drafts[place].At,
                    $"nothing takes the output of {_names[place] ?? drafts[place].Word}: "
                    + "name it in the inputs of a later layer, or remove it (only the last layer feeds the loss)");
            }
        }
    }
}
