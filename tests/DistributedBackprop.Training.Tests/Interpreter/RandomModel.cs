using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// Draws a directed acyclic graph: layers on top of any earlier ones, loose ends joined, and an end that fits the loss.
/// </summary>
public sealed class RandomModel
{
    private readonly RandomDraws _draw;
    private readonly LossKind _loss;
    private readonly bool _isNamed;
    private readonly List<ModelLayer> _layers = [];
    private readonly Dictionary<string, Shape> _shapes = [];

    private RandomModel(RandomDraws draw, LossKind loss)
    {
        (_draw, _loss) = (draw, loss);
        _isNamed = draw.Percent(20);
    }

    /// <summary>Draws a model.</summary>
    /// <returns>The model and the shape of its output for one example.</returns>
    public static (Model Model, Shape Output) Draw(RandomDraws draw, LossKind loss)
    {
        var random = new RandomModel(draw, loss);
        var input = new Shape(draw.One<int[]>(
            [draw.Between(1, 19)],
            [draw.Between(1, 5), draw.Between(1, 7)],
            [draw.Between(1, 3), draw.Between(1, 4), draw.Between(1, 5)]));
        random._shapes[Model.InputName] = input;
        for (var count = draw.Between(0, 5); count > 0; count--)
        {
            random.AddAny();
        }

        random.JoinLooseEnds();
        random.AddEnd();
        return (new Model(input, [.. random._layers]), random._shapes[random.Last]);
    }

    private string Last => _layers.Count > 0 ? _layers[^1].Name : Model.InputName;

    private void AddAny()
    {
        // Mostly a chain; now and then from further back, which forks.
        var from = _draw.Percent(70) ? Last : _draw.One<string>([.. _shapes.Keys]);
        var kind = _draw.Between(0, 99);
        if (kind < 45)
        {
            AddDense(from, AnyActivation(40), UnitsBelow(20));
        }
        else if (kind < 65)
        {
            AddLayer(new ActivationKind(AnyActivation(100)!), _shapes[from], from);
        }
        else if (kind < 75)
        {
            AddLayer(new DropoutKind(_draw.One(0, 0.1, 0.5, 0.9)), _shapes[from], from);
        }
        else if (kind < 80)
        {
            AddLayer(new FlattenKind(), new Shape(_shapes[from].Length), from);
        }
        else
        {
            // Two of the same shape, or even the same twice.
            var partners = _shapes.Where(s => s.Value.Equals(_shapes[from])).Select(s => s.Key).ToArray();
            AddLayer(new AddKind(), _shapes[from], [from, .. _draw.Many(_draw.Between(1, 2), () => _draw.One(partners))]);
        }
    }

    /// <summary>Joins the layers that nothing consumes, until one is left and is the last.</summary>
    private void JoinLooseEnds()
    {
        while (LooseEnds() is { Length: > 1 } loose)
        {
            var (a, b) = (loose[0], loose[1]);
            var axes = JoinableAxes(_shapes[a], _shapes[b]);
            if (_shapes[a].Equals(_shapes[b]) && _draw.Percent(50))
            {
                AddLayer(new AddKind(), _shapes[a], a, b);
            }
            else if (axes.Length > 0)
            {
                var axis = _draw.One(axes);
                var joined = _shapes[a].Axes.SetItem(axis, _shapes[a][axis] + _shapes[b][axis]);
                AddLayer(new ConcatKind(axis + 1), new Shape([.. joined]), a, b);
            }
            else
            {
                var deeper = _shapes[a].Rank > 1 ? a : b;
                AddLayer(new FlattenKind(), new Shape(_shapes[deeper].Length), deeper);
            }
        }
    }

    /// <summary>What the loss takes: any shape, or a row of logits, and at least one dense layer on the way.</summary>
    private void AddEnd()
    {
        var isRow = _shapes[Last].Rank == 1;
        if (_loss == LossKind.SoftmaxCrossEntropy && !isRow)
        {
            AddLayer(new FlattenKind(), new Shape(_shapes[Last].Length), Last);
        }

        var isFit = _layers.Any(l => l.Kind is DenseKind)
            && IsFit(_layers[^1].Kind)
            && (_loss != LossKind.SoftmaxCrossEntropy || _shapes[Last].Length > 1);
        if (!isFit || _draw.Percent(60))
        {
            var activation = _loss == LossKind.MeanSquaredError ? AnyActivation(30) : null;
            var units = _loss == LossKind.SoftmaxCrossEntropy ? _draw.Between(2, 19) : _draw.One(1, UnitsBelow(20));
            AddDense(Last, activation, units);
        }
    }

    /// <summary>Whether a loss may follow: those that take logits refuse a softmax or a sigmoid.</summary>
    private bool IsFit(LayerKind last) => _loss == LossKind.MeanSquaredError || last switch
    {
        DenseKind dense => dense.Activation?.Function is not (ActivationFunction.Softmax or ActivationFunction.Sigmoid),
        AddKind or ConcatKind => true,
        _ => false,
    };

    private string[] LooseEnds()
    {
        var consumed = _layers.SelectMany(l => l.Inputs).ToHashSet();
        return [.. _layers.Select(l => l.Name).Where(name => !consumed.Contains(name))];
    }

    private void AddDense(string from, Activation? activation, int units)
    {
        var kind = new DenseKind(units, activation, _draw.Percent(75), AnyInitializer());
        AddLayer(kind, new Shape([.. _shapes[from].Axes[..^1], units]), from);
    }

    private void AddLayer(LayerKind kind, Shape output, params string[] inputs)
    {
        var name = _isNamed && _draw.Percent(50) ? $"named-{_layers.Count}" : AutomaticName(kind);
        var factor = _draw.Percent(75) ? 1 : _draw.One(0, 0.3, 2);
        _layers.Add(new ModelLayer(name, [.. inputs], kind, factor));
        _shapes[name] = output;
    }

    /// <summary>The kind as job files call it, and a count over all layers of that kind, named or not.</summary>
    private string AutomaticName(LayerKind kind) => KindName(kind) + (_layers.Count(l => KindName(l.Kind) == KindName(kind)) + 1);

    private static string KindName(LayerKind kind)
    {
        var name = kind is ActivationKind a ? a.Activation.Function.ToString() : kind.GetType().Name[..^"Kind".Length];
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private int UnitsBelow(int limit) => _draw.Percent(15) ? _draw.One(1, 16, 17) : _draw.Between(1, limit - 1);

    private Activation? AnyActivation(int percent) => _draw.Percent(percent)
        ? new Activation(_draw.One(Enum.GetValues<ActivationFunction>()), _draw.One(0.01, 0.2, 0))
        : null;

    private Initializer AnyInitializer() => _draw.Percent(40)
        ? new Initializer(InitializerKind.Default)
        : _draw.One(Enum.GetValues<InitializerKind>()) is var kind && kind == InitializerKind.Normal
            ? new Initializer(kind, _draw.Real(0.05, 0.6))
            : new Initializer(kind);

    /// <summary>Axes along which two examples join: all others are equal.</summary>
    private static int[] JoinableAxes(Shape a, Shape b) => a.Rank != b.Rank
        ? []
        : [.. Enumerable.Range(0, a.Rank).Where(x => Enumerable.Range(0, a.Rank).All(y => x == y || a[y] == b[y]))];
}
