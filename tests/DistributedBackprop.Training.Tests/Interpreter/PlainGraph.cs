using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// The model's layers in graph order, their inputs as indices. Values that belong to parameters (the parameters
/// themselves, a gradient, an optimizer's moment) are arrays in graph order, weight before bias:
/// <c>values[parameter][element]</c>.
/// </summary>
public sealed class PlainGraph
{
    private readonly int[] _firstParameter;

    /// <summary>Reads a job's model.</summary>
    public PlainGraph(TrainingJob job)
    {
        var model = job.Model;
        InputShape = model.Input;
        Layers = new PlainLayer[model.Layers.Length];
        _firstParameter = new int[Layers.Length];
        var count = 0;
        for (var l = 0; l < Layers.Length; l++)
        {
            var inputs = model.Layers[l].Inputs.Select(name => IndexOf(model, name)).ToArray();
            Layers[l] = Interpret(model.Layers[l], inputs, [.. inputs.Select(ShapeOf)], job.Seed);
            _firstParameter[l] = count;
            count += Layers[l].Parameters.Length;
        }

        Parameters = [.. Layers.SelectMany(l => l.Parameters.Select(p => ($"{l.Name}.{p.Name}", p.Shape, l)))];
    }

    /// <summary>The shape of one example.</summary>
    public Shape InputShape { get; }

    /// <summary>The layers; the last one feeds the loss.</summary>
    public PlainLayer[] Layers { get; }

    /// <summary>All parameters by full name, with their shapes and the layers that own them.</summary>
    public (string Name, Shape Shape, PlainLayer Layer)[] Parameters { get; }

    /// <summary>The shape of the last layer's output, for one example.</summary>
    public Shape Output => Layers[^1].Output;

    /// <summary>The part of <paramref name="values"/> that belongs to a layer.</summary>
    public ReadOnlySpan<float[]> Of(int layer, float[][] values) =>
        values.AsSpan(_firstParameter[layer], Layers[layer].Parameters.Length);

    /// <summary>+0 for every element of every parameter.</summary>
    public float[][] Zeros() => [.. Parameters.Select(p => new float[p.Shape.Length])];

    /// <summary>The parameters to begin with.</summary>
    public float[][] Initial(long seed, IReadOnlyDictionary<string, float[]>? given)
    {
        var values = given is null
            ? Layers.SelectMany(l => l.Initialize(seed)).ToArray()
            : [.. Parameters.Select(p => given[p.Name].ToArray())];
        for (var p = 0; p < values.Length; p++)
        {
            if (values[p].Length != Parameters[p].Shape.Length)
            {
                throw new ArgumentException(
                    $"{Parameters[p].Name} {Parameters[p].Shape} cannot begin with {values[p].Length} values.", nameof(given));
            }
        }

        return values;
    }

    private static int IndexOf(Model model, string name) =>
        name == Model.InputName ? -1 : model.Layers.Select(l => l.Name).ToList().IndexOf(name) is var i and >= 0
            ? i
            : throw new ArgumentException($"No layer is called {name}.", nameof(name));

    private static PlainLayer Interpret(ModelLayer layer, int[] inputs, Shape[] shapes, long seed)
    {
        var (name, factor) = (layer.Name, layer.LearningRateFactor);
        return layer.Kind switch
        {
            DenseKind k => new PlainDense(k) { Name = name, Inputs = inputs, InputShapes = shapes, LearningRateFactor = factor },
            ActivationKind k =>
                new PlainActivationLayer(k) { Name = name, Inputs = inputs, InputShapes = shapes, LearningRateFactor = factor },
            DropoutKind k =>
                new PlainDropout(k, seed) { Name = name, Inputs = inputs, InputShapes = shapes, LearningRateFactor = factor },
            FlattenKind => new PlainFlatten { Name = name, Inputs = inputs, InputShapes = shapes, LearningRateFactor = factor },
            AddKind => new PlainAdd { Name = name, Inputs = inputs, InputShapes = shapes, LearningRateFactor = factor },
            ConcatKind k =>
                new PlainConcat(k) { Name = name, Inputs = inputs, InputShapes = shapes, LearningRateFactor = factor },
            _ => throw new ArgumentException($"No interpretation of {layer.Kind}.", nameof(layer)),
        };
    }

    private Shape ShapeOf(int layer) => layer < 0 ? InputShape : Layers[layer].Output;
}
