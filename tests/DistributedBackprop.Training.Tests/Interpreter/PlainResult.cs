using System.Buffers.Binary;
using System.Security.Cryptography;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>What a run came to.</summary>
/// <param name="StepLosses">The loss of each step, before its update: mean over the step's examples.</param>
/// <param name="Epochs">One entry per epoch; a job counted in steps may end within its last one.</param>
/// <param name="Parameters">The final parameters in graph order, weight before bias.</param>
public sealed record PlainResult(
    IReadOnlyList<double> StepLosses, IReadOnlyList<PlainEpoch> Epochs, IReadOnlyList<PlainParameter> Parameters)
{
    /// <summary>SHA-256 of all parameters in order as little-endian float32, without gaps, in lower-case hex.</summary>
    public string WeightsSha256 { get; } = Hash(Parameters);

    private static string Hash(IReadOnlyList<PlainParameter> parameters)
    {
        var bytes = new byte[sizeof(float) * parameters.Sum(p => p.Values.Length)];
        var at = 0;
        foreach (var value in parameters.SelectMany(p => p.Values))
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(at), value);
            at += sizeof(float);
        }

        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }
}

/// <summary>One parameter of the model.</summary>
/// <param name="Name">Its full name, e.g. <c>dense1.weight</c>.</param>
/// <param name="Shape">Its shape; a weight is <c>[out, in]</c>, a bias <c>[out]</c>.</param>
/// <param name="Values">Its elements in row-major order.</param>
public sealed record PlainParameter(string Name, Shape Shape, float[] Values);

/// <summary>One epoch's figures.</summary>
/// <param name="Epoch">Counts from 1.</param>
/// <param name="Step">The epoch's last step, over the whole job, from 1.</param>
/// <param name="TrainLoss">Mean over the epoch's examples of the loss before the update of their step.</param>
/// <param name="TestLoss">Mean over the test set after the epoch; null without a test set.</param>
/// <param name="TestAccuracy">Share of the test set classified correctly, 0 … 1; null without a test set.</param>
public sealed record PlainEpoch(int Epoch, long Step, double TrainLoss, double? TestLoss, double? TestAccuracy);
