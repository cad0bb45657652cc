using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// The hash of a manifest: of its numbers in a fixed order, 64 bits each and little-endian, so that it does not depend on the
/// form in which the manifest is written. What is hashed begins with a name and the version of that order.
/// </summary>
internal sealed class ManifestHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private ManifestHash(string kind) => _hash.AppendData(Encoding.ASCII.GetBytes(kind));

    public static ContentHash Of(StateLayout layout)
    {
        using var hash = new ManifestHash("layout 1\n");
        foreach (var vector in layout.Vectors)
        {
            hash.Add(vector);
            hash.Add(layout.LengthOf(vector));
        }

        return hash.Result();
    }

    public static ContentHash Of(StateManifest manifest)
    {
        using var hash = new ManifestHash("state 1\n");
        hash.Add(manifest.LayoutHash);
        foreach (var chunk in manifest.Chunks)
        {
            hash.Add(chunk.Vector);
            hash.Add(chunk.Start);
            hash.Add(chunk.Length);
            hash.Add(chunk.Hash);
        }

        return hash.Result();
    }

    public static ContentHash Of(CheckpointManifest manifest)
    {
        using var hash = new ManifestHash("checkpoint 1\n");
        hash.Add(manifest.Generation);
        hash.Add(manifest.Progress);
        hash.Add(manifest.State.Hash);
        return hash.Result();
    }

    public void Dispose() => _hash.Dispose();

    private ContentHash Result() => ContentHash.FromBytes(_hash.GetCurrentHash());

    private void Add(ProgressState progress)
    {
        Add(progress.Step);
        Add(progress.Examples);
        Add(progress.Epochs);
        Add(BitConverter.DoubleToInt64Bits(progress.TrainLoss));
        Add(progress.TestLoss);
        Add(progress.TestAccuracy);
        Add(BitConverter.DoubleToInt64Bits(progress.EpochLossSum));
        Add(progress.EpochExamples);
        Add(BitConverter.DoubleToInt64Bits(progress.BestTestLoss));
        Add(progress.EpochsWithoutBetter);
        Add(progress.IsAtBoundary ? 1 : 0);
        Add(progress.NeedsRound ? 1 : 0);
        Add(progress.IsOver ? 1 : 0);
    }

    private void Add(double? value)
    {
        Add(value.HasValue ? 1 : 0);
        Add(BitConverter.DoubleToInt64Bits(value.GetValueOrDefault()));
    }

    private void Add(StateVector vector)
    {
        Add(vector.Layer);
        Add(vector.Replica);
        Add(vector.Slot);
    }

    private void Add(ContentHash value)
    {
        Span<byte> bytes = stackalloc byte[ContentHash.Size];
        value.CopyTo(bytes);
        _hash.AppendData(bytes);
    }

    private void Add(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        _hash.AppendData(bytes);
    }
}
