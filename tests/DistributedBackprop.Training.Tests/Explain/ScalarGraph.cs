using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Explain;

/// <summary>
/// A model written out number by number: every scalar with the scalars that read it, and what each reading costs in
/// multiplications. Counts are taken by walking every way to its end.
/// </summary>
internal sealed class ScalarGraph
{
    // Of each scalar: who reads it, and with how many multiplications. The loss reads the last layer's.
    private readonly List<List<(int Reader, int Cost)>> _readers = [];
    private readonly List<int> _parameters = [];
    private readonly HashSet<int> _outputs = [];

    public ScalarGraph(Model model)
    {
        var values = new Dictionary<string, (Shape Shape, int[] Scalars)>
        {
            [Model.InputName] = (model.Input, [.. Enumerable.Range(0, model.Input.Length).Select(_ => New())]),
        };
        foreach (var layer in model.Layers)
        {
            values[layer.Name] = Apply(layer.Kind, [.. layer.Inputs.Select(name => values[name])]);
        }

        _outputs.UnionWith(values[model.Layers[^1].Name].Scalars);
    }

    /// <summary>Multiplications and ways of all parameters; null beyond a limit.</summary>
    public (long Multiplications, long Paths)? Count(long limit)
    {
        var (multiplications, paths) = (0L, 0L);
        var ways = new Stack<int>(_parameters);
        while (ways.TryPop(out var scalar))
        {
            paths += _outputs.Contains(scalar) ? 1 : 0;
            foreach (var (reader, cost) in _readers[scalar])
            {
                multiplications += cost;
                ways.Push(reader);
            }

            if (multiplications + ways.Count > limit)
            {
                return null;
            }
        }

        return (multiplications, paths);
    }

    private int New()
    {
        _readers.Add([]);
        return _readers.Count - 1;
    }

    private (Shape Shape, int[] Scalars) Apply(LayerKind kind, (Shape Shape, int[] Scalars)[] inputs)
    {
        var (shape, x) = inputs[0];
        switch (kind)
        {
            case DenseKind dense:
                var z = Affine(dense, shape, x);
                return (new Shape([.. shape.Axes[..^1], dense.Units]), Activate(dense.Activation, dense.Units, z));
            case ActivationKind activation:
                return (shape, Activate(activation.Activation, shape[^1], x));
            case DropoutKind:
                return (shape, Each(x, 1));
            case FlattenKind:
                return (new Shape(shape.Length), x);
            case AddKind:
                return (shape, [.. x.Select((_, i) => Read(inputs.Select(input => (input.Scalars[i], 0))))]);
            case ConcatKind concat:
                return Join(concat.Axis - 1, inputs);
            default:
                throw new InvalidOperationException($"{kind} cannot be written out.");
        }
    }

    private int[] Affine(DenseKind dense, Shape shape, int[] x)
    {
        var fanIn = shape[^1];
        var z = new List<int>();
        foreach (var row in x.Chunk(fanIn))
        {
            z.AddRange(Enumerable.Range(0, dense.Units).Select(_ => Read(row.Select(scalar => (scalar, 1)))));
        }

        for (var unit = 0; unit < dense.Units; unit++)
        {
            // A parameter is read once in every row: a weight with a product, a bias without.
            var inRows = z.Where((_, i) => i % dense.Units == unit).ToList();
            for (var k = 0; k < fanIn; k++)
            {
                AddParameter(inRows, 1);
            }

            if (dense.Bias)
            {
                AddParameter(inRows, 0);
            }
        }

        return [.. z];
    }

    private void AddParameter(List<int> readers, int cost)
    {
        var parameter = New();
        _parameters.Add(parameter);
        _readers[parameter].AddRange(readers.Select(reader => (reader, cost)));
    }

    private int[] Activate(Activation? activation, int row, int[] z) => activation?.Function switch
    {
        null => z,
        ActivationFunction.Softmax => [.. z.Chunk(row).SelectMany(part => part.Select(_ => Read(part.Select(scalar => (scalar, 2)))).ToArray())],
        _ => Each(z, 1),
    };

    private int[] Each(int[] x, int cost) => [.. x.Select(scalar => Read([(scalar, cost)]))];

    private int Read(IEnumerable<(int Scalar, int Cost)> read)
    {
        var reader = New();
        foreach (var (scalar, cost) in read)
        {
            _readers[scalar].Add((reader, cost));
        }

        return reader;
    }

    // By the indices along every axis.
    private static (Shape Shape, int[] Scalars) Join(int axis, (Shape Shape, int[] Scalars)[] inputs)
    {
        var shape = new Shape([.. inputs[0].Shape.Axes.SetItem(axis, inputs.Sum(input => input.Shape[axis]))]);
        var joined = new int[shape.Length];
        for (var i = 0; i < joined.Length; i++)
        {
            var (index, rest) = (new int[shape.Rank], i);
            for (var a = shape.Rank - 1; a >= 0; a--)
            {
                (index[a], rest) = (rest % shape[a], rest / shape[a]);
            }

            var input = 0;
            while (index[axis] >= inputs[input].Shape[axis])
            {
                index[axis] -= inputs[input].Shape[axis];
                input++;
            }

            joined[i] = inputs[input].Scalars[index.Select((at, a) => (at, a)).Aggregate(0, (flat, next) => (flat * inputs[input].Shape[next.a]) + next.at)];
        }

        return (shape, joined);
    }
}
