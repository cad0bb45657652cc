using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>Lays an example's axes out as one.</summary>
public sealed class PlainFlatten : PlainLayer
{
    /// <inheritdoc/>
    public override Shape Output => new(InputShapes[0].Length);

    /// <inheritdoc/>
    public override PlainApplication Forward(float[][] inputs, ReadOnlySpan<float[]> parameters, PlainPlace place) =>
        new(inputs, place, [], inputs[0]);

    /// <inheritdoc/>
    public override float[][] Backward(
        PlainApplication application, float[] delta, ReadOnlySpan<float[]> parameters, ReadOnlySpan<float[]> gradient) =>
        [delta];
}

/// <summary>Adds its inputs, the first two first.</summary>
public sealed class PlainAdd : PlainLayer
{
    /// <inheritdoc/>
    public override Shape Output => InputShapes[0];

    /// <inheritdoc/>
    public override PlainApplication Forward(float[][] inputs, ReadOnlySpan<float[]> parameters, PlainPlace place)
    {
        var sum = inputs[0].ToArray();
        foreach (var input in inputs.Skip(1))
        {
            for (var e = 0; e < sum.Length; e++)
            {
                sum[e] = sum[e] + input[e];
            }
        }

        return new PlainApplication(inputs, place, [], sum);
    }

    /// <inheritdoc/>
    public override float[][] Backward(
        PlainApplication application, float[] delta, ReadOnlySpan<float[]> parameters, ReadOnlySpan<float[]> gradient) =>
        [.. Inputs.Select(_ => delta)];
}

/// <summary>Joins its inputs along an axis.</summary>
public sealed class PlainConcat(ConcatKind kind) : PlainLayer
{
    /// <summary>The axis within one example: the job counts the batch as axis 0.</summary>
    private int Axis => kind.Axis - 1;

    /// <inheritdoc/>
    public override Shape Output => new([.. InputShapes[0].Axes.SetItem(Axis, InputShapes.Sum(s => s[Axis]))]);

    /// <inheritdoc/>
    public override PlainApplication Forward(float[][] inputs, ReadOnlySpan<float[]> parameters, PlainPlace place)
    {
        var joined = new List<float>(Output.Length);
        for (var block = 0; block < Blocks; block++)
        {
            for (var i = 0; i < inputs.Length; i++)
            {
                joined.AddRange(inputs[i].AsSpan(block * BlockLength(i), BlockLength(i)));
            }
        }

        return new PlainApplication(inputs, place, [], [.. joined]);
    }

    /// <inheritdoc/>
    public override float[][] Backward(
        PlainApplication application, float[] delta, ReadOnlySpan<float[]> parameters, ReadOnlySpan<float[]> gradient)
    {
        var parts = Inputs.Select(_ => new List<float>()).ToArray();
        var at = 0;
        for (var block = 0; block < Blocks; block++)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                parts[i].AddRange(delta.AsSpan(at, BlockLength(i)));
                at += BlockLength(i);
            }
        }

        return [.. parts.Select(p => p.ToArray())];
    }

    /// <summary>How many index combinations the axes before the joined one have.</summary>
    private int Blocks => InputShapes[0].Axes[..Axis].Aggregate(1, (product, axis) => product * axis);

    /// <summary>Elements of an input that lie together for each of them.</summary>
    private int BlockLength(int input) => InputShapes[input].Axes[Axis..].Aggregate(1, (product, axis) => product * axis);
}
