using System.Collections.Immutable;
using System.Runtime.InteropServices;
using CsCheck;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Jobs;

namespace DistributedBackprop.Training.Tests.Checkpoints;

/// <summary>What comes back from a store is the state that was written, or is refused.</summary>
public class StoredStateTests
{
    private static readonly StateLayout _layout = Layout(units: 40);

    [Fact]
    public void A_state_comes_back_from_its_pieces_in_any_order()
    {
        var pool = new TensorPool();
        var (manifest, contents) = Stored(_layout, pool, seed: 3);
        using var stored = new StoredState(manifest, _layout, pool);
        foreach (var hash in stored.Missing.Reverse().ToArray())
        {
            contents[hash].CopyTo(stored.MemoryOf(hash));
            stored.TryAccept(hash).ShouldBeTrue();
        }

        using var state = stored.Take();
        var (again, _) = Cut(state);
        again.ShouldBe(manifest);
    }

    [Fact]
    public void Pieces_of_equal_content_are_one_and_are_put_in_every_place()
    {
        var pool = new TensorPool();
        var layout = Layout(units: 400_000);
        using var zeros = new TrainingState(layout, pool);
        foreach (var vector in layout.Vectors)
        {
            zeros.Add(vector, 0, Tensor.RentZeros(pool, new Shape(layout.LengthOf(vector))));
        }

        var (manifest, contents) = Cut(zeros);
        contents.Count.ShouldBeLessThan(manifest.Chunks.Length);
        using var stored = new StoredState(manifest, layout, pool);
        foreach (var hash in stored.Missing.ToArray())
        {
            contents[hash].CopyTo(stored.MemoryOf(hash));
            stored.TryAccept(hash).ShouldBeTrue();
        }

        using var state = stored.Take();
        Cut(state).Manifest.ShouldBe(manifest);
    }

    [Fact]
    public void Of_ten_thousand_mutated_pieces_none_is_taken()
    {
        var pool = new TensorPool();
        var (manifest, contents) = Stored(_layout, pool, seed: 3);
        var hashes = contents.Keys.ToArray();
        using var stored = new StoredState(manifest, _layout, pool);
        Gen.Select(Gen.Int[0, hashes.Length - 1], Gen.Int[0, 3], Gen.Int, Gen.Int[1, 255]).Sample(
            (index, kind, place, change) =>
            {
                var hash = hashes[index];
                var bytes = (byte[])contents[hash].Clone();
                switch (kind)
                {
                    case 0:
                        bytes[(uint)place % bytes.Length] ^= (byte)change;
                        break;
                    case 1:
                        bytes[(uint)place % bytes.Length] ^= (byte)(1 << (change % 8));
                        break;
                    case 2:
                        // What a row that was cut off leaves of the memory.
                        bytes.AsSpan((int)((uint)place % bytes.Length)).Clear();
                        break;
                    default:
                        var other = contents[hashes[(index + 1) % hashes.Length]];
                        other.AsSpan(0, Math.Min(other.Length, bytes.Length)).CopyTo(bytes);
                        break;
                }

                if (!bytes.AsSpan().SequenceEqual(contents[hash]))
                {
                    bytes.CopyTo(stored.MemoryOf(hash));
                    stored.TryAccept(hash).ShouldBeFalse();
                }
            },
            iter: 10_000,
            threads: 1);
        Should.Throw<InvalidOperationException>(stored.Take);
    }

    [Fact]
    public void A_manifest_that_is_not_of_the_layout_is_refused_before_memory_is_taken()
    {
        var pool = new TensorPool();
        var (manifest, _) = Stored(_layout, pool, seed: 3);
        var bytes = pool.AllocatedBytes;
        var chunks = manifest.Chunks;
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, chunks.Length - 1], Gen.Int[1, 1000]).Sample(
            (kind, at, by) =>
            {
                var chunk = chunks[at];
                ImmutableArray<StateChunk> changed = kind switch
                {
                    0 => chunks.RemoveAt(at),
                    1 => chunks.Insert(at, chunk),
                    2 => chunks.SetItem(at, chunk with { Start = chunk.Start + by }),
                    3 => chunks.SetItem(at, chunk with { Length = chunk.Length + by }),
                    4 => chunks.SetItem(at, chunk with { Length = chunk.Length - Math.Min(by, chunk.Length) }),
                    5 => chunks.SetItem(at, chunk with { Vector = chunk.Vector with { Slot = chunk.Vector.Slot + by } }),
                    _ => chunks.SetItem(at, chunk with { Vector = chunk.Vector with { Layer = chunk.Vector.Layer + by } }),
                };
                Should.Throw<CheckpointException>(() => new StoredState(new StateManifest(manifest.LayoutHash, changed), _layout, pool));
            },
            iter: 2000,
            threads: 1);
        Should.Throw<CheckpointException>(() => new StoredState(manifest, Layout(units: 41), pool));
        var swapped = chunks.SetItem(0, chunks[0] with { Hash = chunks[^1].Hash });
        Should.Throw<CheckpointException>(() => new StoredState(new StateManifest(manifest.LayoutHash, swapped), _layout, pool))
            .Message.ShouldEndWith("have one hash and two lengths");
        pool.AllocatedBytes.ShouldBe(bytes);
    }

    [Fact]
    public void Every_number_of_a_checkpoint_is_in_its_hash() =>
        Gen.Select(ProgressCourse.Any, Gen.ULong, Gen.Int).Sample(
            (course, order, pick) =>
            {
                var progress = course.New();
                course.Drive(progress, order, []);
                var state = new StateManifest(_layout.Hash, [new StateChunk(default, 0, 1, default)]);
                var manifest = new CheckpointManifest(3, progress.State, state);
                var properties = typeof(ProgressState).GetProperties().Where(property => !property.GetMethod!.IsStatic).ToArray();
                var property = properties[(uint)pick % properties.Length];
                var changed = progress.State with { };
                property.SetValue(changed, property.GetValue(changed) switch
                {
                    long number => number + 1,
                    int number => number + 1,
                    bool flag => !flag,
                    double number => BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(number) ^ 1),
                    null => 0.0,
                    var other => throw new InvalidOperationException($"{other}"),
                });
                new CheckpointManifest(3, changed, state).ShouldNotBe(manifest);
                new CheckpointManifest(4, progress.State, state).ShouldNotBe(manifest);
            },
            iter: 300);

    internal static StateLayout Layout(int units)
    {
        var job = JobFile.Parse("job", $$"""
            name: stored
            data: { format: xor, train: { examples: 8 } }
            model: { input: [2], layers: [ { dense: { units: {{units}} } }, { dense: { units: 1 } } ] }
            loss: binaryCrossEntropy
            optimizer: { sgd: { learningRate: 0.1 } }
            training: { batchSize: 4, epochs: 1 }
            """);
        return StateLayout.Of(Graph.Of(job.Job!.Model, job.Job.Seed), 1, averagesParameters: false, optimizerSlots: 2);
    }

    private static (StateManifest Manifest, Dictionary<ContentHash, byte[]> Contents) Stored(StateLayout layout, TensorPool pool, ulong seed)
    {
        using var state = new TrainingState(layout, pool);
        foreach (var vector in layout.Vectors)
        {
            var tensor = Tensor.Rent(pool, new Shape(layout.LengthOf(vector)));
            foreach (ref var number in MemoryMarshal.Cast<float, uint>(tensor.Floats))
            {
                number = (uint)(seed = ProgressCourse.Mixed(seed));
            }

            state.Add(vector, 0, tensor);
        }

        return Cut(state);
    }

    private static (StateManifest Manifest, Dictionary<ContentHash, byte[]> Contents) Cut(TrainingState state)
    {
        var contents = new Dictionary<ContentHash, byte[]>();
        var chunks = new List<StateChunk>();
        foreach (var vector in state.Layout.Vectors)
        {
            foreach (var (start, length) in StateChunk.Cut(0, state.Layout.LengthOf(vector)))
            {
                var bytes = state[vector].Bytes.Slice(start * sizeof(float), length * sizeof(float)).ToArray();
                chunks.Add(new StateChunk(vector, start, length, ContentHash.Of(bytes)));
                contents[chunks[^1].Hash] = bytes;
            }
        }

        return (StateManifest.Of(state.Layout, chunks), contents);
    }
}
