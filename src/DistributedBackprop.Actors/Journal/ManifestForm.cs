using System.Collections.Immutable;
using System.Runtime.Serialization;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using Google.Protobuf;

namespace DistributedBackprop.Actors.Journal;

/// <summary>Manifests of states and checkpoints as they are written. What is read has the hash that it had.</summary>
internal static class ManifestForm
{
    private const int Version = 1;

    public static Forms.CheckpointManifest Write(CheckpointManifest manifest) => new()
    {
        Version = Version,
        Generation = manifest.Generation,
        Progress = Write(manifest.Progress),
        State = Write(manifest.State),
        Sha256 = ByteString.CopyFrom(manifest.Hash.ToBytes()),
    };

    public static CheckpointManifest Read(Forms.CheckpointManifest form)
    {
        _ = WireFields.Number(form.Version, "version", Version, Version);
        var manifest = new CheckpointManifest(
            JournalFields.FromOne(form.Generation, "generation"),
            Read(WireFields.Present(form.Progress, "progress")),
            Read(WireFields.Present(form.State, "state")));
        return manifest.Hash == JournalFields.Hash(form.Sha256, "sha256")
            ? manifest
            : throw new SerializationException($"the manifest of step {manifest.Step} must have its own hash (was {manifest.Hash})");
    }

    public static Forms.StateManifest Write(StateManifest manifest)
    {
        var form = new Forms.StateManifest
        {
            LayoutSha256 = ByteString.CopyFrom(manifest.LayoutHash.ToBytes()),
            Sha256 = ByteString.CopyFrom(manifest.Hash.ToBytes()),
        };
        var chunks = manifest.Chunks;
        for (var first = 0; first < chunks.Length;)
        {
            var end = first + 1;
            while (end < chunks.Length && Follows(chunks[end - 1], chunks[end]))
            {
                end++;
            }

            form.Vectors.Add(Write(chunks.AsSpan()[first..end]));
            first = end;
        }

        return form;
    }

    public static StateManifest Read(Forms.StateManifest form)
    {
        var chunks = ImmutableArray.CreateBuilder<StateChunk>();
        foreach (var vector in form.Vectors)
        {
            Read(vector, chunks);
        }

        var manifest = new StateManifest(JournalFields.Hash(form.LayoutSha256, "layout_sha256"), chunks.ToImmutable());
        return manifest.Hash == JournalFields.Hash(form.Sha256, "sha256")
            ? manifest
            : throw new SerializationException($"the manifest of a state must have its own hash (was {manifest.Hash})");
    }

    private static bool Follows(StateChunk before, StateChunk next) =>
        before.Vector == next.Vector && before.Start + (long)before.Length == next.Start;

    private static Forms.VectorPieces Write(ReadOnlySpan<StateChunk> chunks)
    {
        var hashes = new byte[chunks.Length * ContentHash.Size];
        var form = new Forms.VectorPieces
        {
            Layer = chunks[0].Vector.Layer,
            Replica = chunks[0].Vector.Replica,
            Slot = chunks[0].Vector.Slot,
            Start = chunks[0].Start,
        };
        for (var i = 0; i < chunks.Length; i++)
        {
            form.Lengths.Add(chunks[i].Length);
            chunks[i].Hash.CopyTo(hashes.AsSpan(i * ContentHash.Size));
        }

        form.Hashes = UnsafeByteOperations.UnsafeWrap(hashes);
        return form;
    }

    private static void Read(Forms.VectorPieces form, ImmutableArray<StateChunk>.Builder chunks)
    {
        var vector = new StateVector(
            JournalFields.FromZero(form.Layer, "layer"),
            JournalFields.FromZero(form.Replica, "replica"),
            JournalFields.FromZero(form.Slot, "slot"));
        _ = WireFields.Number(form.Lengths.Count, "lengths", 1, JournalSerializer.MaxBytes);
        _ = WireFields.Number(form.Hashes.Length, "hashes", form.Lengths.Count * ContentHash.Size, form.Lengths.Count * ContentHash.Size);
        long start = JournalFields.FromZero(form.Start, "start");
        for (var i = 0; i < form.Lengths.Count; i++)
        {
            var length = WireFields.Number(form.Lengths[i], "lengths", 1, StateChunk.MaxLength);
            _ = WireFields.Number(start + length, "lengths", 1, int.MaxValue);
            var hash = ContentHash.FromBytes(form.Hashes.Span.Slice(i * ContentHash.Size, ContentHash.Size));
            chunks.Add(new StateChunk(vector, (int)start, length, hash));
            start += length;
        }
    }

    private static Forms.Progress Write(ProgressState progress)
    {
        var form = new Forms.Progress
        {
            Step = progress.Step,
            Examples = progress.Examples,
            Epochs = progress.Epochs,
            TrainLossBits = JournalFields.Bits(progress.TrainLoss),
            EpochLossSumBits = JournalFields.Bits(progress.EpochLossSum),
            EpochExamples = progress.EpochExamples,
            BestTestLossBits = JournalFields.Bits(progress.BestTestLoss),
            EpochsWithoutBetter = progress.EpochsWithoutBetter,
            IsAtBoundary = progress.IsAtBoundary,
            NeedsRound = progress.NeedsRound,
            IsOver = progress.IsOver,
        };
        if (progress.TestLoss is { } testLoss)
        {
            form.TestLossBits = JournalFields.Bits(testLoss);
        }

        if (progress.TestAccuracy is { } testAccuracy)
        {
            form.TestAccuracyBits = JournalFields.Bits(testAccuracy);
        }

        return form;
    }

    private static ProgressState Read(Forms.Progress form) => new(
        JournalFields.FromZero(form.Step, "step"),
        JournalFields.FromZero(form.Examples, "examples"),
        JournalFields.FromZero(form.Epochs, "epochs"),
        JournalFields.Double(form.TrainLossBits),
        JournalFields.Double(form.HasTestLossBits, form.TestLossBits),
        JournalFields.Double(form.HasTestAccuracyBits, form.TestAccuracyBits),
        JournalFields.Double(form.EpochLossSumBits),
        JournalFields.FromZero(form.EpochExamples, "epoch_examples"),
        JournalFields.Double(form.BestTestLossBits),
        JournalFields.FromZero(form.EpochsWithoutBetter, "epochs_without_better"),
        form.IsAtBoundary,
        form.NeedsRound,
        form.IsOver);
}
