using System.Buffers.Binary;
using CsCheck;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Tests.Transport;

/// <summary>The reading end without a socket: any cut of the bytes, any bytes.</summary>
public sealed class FrameReaderTests
{
    private const ulong Job = 9;
    private const long Generation = 3;

    [Fact]
    public void However_the_bytes_are_cut_the_same_tensors_come_and_late_ones_take_no_memory() =>
        Gen.Select(
            Gen.Select(Gen.Int[0, 300], Gen.Bool, Gen.Int[1, 6]).Array[1, 8], Gen.Int[1, 200].Array[1, 40])
            .Sample((frames, cuts) =>
            {
                var pool = new TensorPool();
                var gate = new GenerationGate();
                using var sink = new Sink();
                gate.Prepare(Job, Generation, sink);
                using var reader = new FrameReader(FrameLimits.Default, gate, pool, sink);
                using var stream = new MemoryStream();
                foreach (var (length, isLate, kind) in frames)
                {
                    stream.Write(Frame(length, isLate ? Generation - 1 : Generation, (FrameKind)kind));
                }

                var bytes = stream.ToArray().AsSpan();
                for (var cut = 0; !bytes.IsEmpty; cut++)
                {
                    var taken = Math.Min(bytes.Length, cuts[cut % cuts.Length]);
                    reader.Read(bytes[..taken]).ShouldBeNull();
                    bytes = bytes[taken..];
                }

                reader.IsInsideFrame.ShouldBeFalse();
                sink.Dropped.ShouldBe(frames.Count(frame => frame.Item2));
                sink.Tensors.Select(tensor => tensor.Length)
                    .ShouldBe(frames.Where(frame => !frame.Item2).Select(frame => frame.Item1));
                sink.Tensors.ShouldAllBe(tensor => IsCounting(tensor));
                pool.Outstanding.ShouldBe(sink.Tensors.Count);
            });

    [Fact]
    public void Whatever_comes_memory_is_taken_for_at_most_the_bytes_allowed() =>
        Gen.Select(Gen.Byte.Array[0, 400], Gen.Int[0, 300], Gen.Int[0, 63], Gen.Byte)
            .Sample((noise, length, at, value) =>
            {
                var pool = new TensorPool();
                var gate = new GenerationGate();
                var sink = new Sink();
                gate.Prepare(Job, Generation, sink);
                var frame = Frame(length, Generation, FrameKind.Activation);
                frame[at] = value;
                using (var reader = new FrameReader(new FrameLimits(2048, 16, 16), gate, pool, sink))
                {
                    _ = reader.Read(frame) ?? reader.Read(noise);
                }

                pool.AllocatedBytes.ShouldBeLessThanOrEqualTo(4096);
                sink.Dispose();
                pool.Outstanding.ShouldBe(0);
            });

    [Fact]
    public void A_generation_that_was_not_prepared_or_a_flow_without_places_is_an_error_before_memory()
    {
        var pool = new TensorPool();
        var gate = new GenerationGate();
        using var sink = new Sink { Places = 1 };
        gate.Prepare(Job, Generation, sink);
        using var first = new FrameReader(FrameLimits.Default, gate, pool, sink);
        first.Read(Frame(8, Generation + 1, FrameKind.Delta)).ShouldNotBeNull().ShouldContain("not prepared");
        using var second = new FrameReader(FrameLimits.Default, gate, pool, sink);
        second.Read(Frame(8, Generation, FrameKind.Delta)).ShouldNotBeNull().ShouldContain("without a place");
        pool.AllocatedBytes.ShouldBe(0);
    }

    [Fact]
    public void What_its_receiver_does_not_take_is_an_error_and_what_it_takes_no_more_is_skipped_both_before_memory()
    {
        var pool = new TensorPool();
        var gate = new GenerationGate();
        using var sink = new Sink { Answer = Verdict.Close };
        gate.Prepare(Job, Generation, sink);
        using var first = new FrameReader(FrameLimits.Default, gate, pool, sink);
        first.Read(HugeFrame()).ShouldNotBeNull().ShouldContain("Nobody here takes");
        sink.Answer = Verdict.Drop;
        using var second = new FrameReader(FrameLimits.Default, gate, pool, sink);
        second.Read(HugeFrame()).ShouldBeNull();
        second.Read(new byte[1 << 20]).ShouldBeNull();
        second.IsInsideFrame.ShouldBeTrue();
        sink.Dropped.ShouldBe(1);
        pool.AllocatedBytes.ShouldBe(0);
    }

    [Fact]
    public void A_frame_may_be_as_large_as_a_tensor_and_no_larger()
    {
        var frame = HugeFrame();
        FrameHeader.TryParse(frame, FrameLimits.Default, out var header, out _).ShouldBeTrue();
        header.Elements.ShouldBe(TensorPool.LargestFloats);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), (TensorPool.LargestFloats + 1) * 4);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(44), TensorPool.LargestFloats + 1);
        FrameHeader.TryParse(frame, FrameLimits.Default, out _, out var error).ShouldBeFalse();
        error.ShouldNotBeNull().ShouldContain("at most");
    }

    [Fact]
    public void A_job_that_is_over_drops_and_forgets_in_the_end()
    {
        var gate = new GenerationGate();
        using var sink = new Sink();
        gate.Prepare(Job, 1, sink);
        gate.Retire(Job, 1);
        gate.Judge(new FrameHeader { Job = Job, Generation = 1 }, out _).ShouldBe(Verdict.Drop);
        gate.Judge(new FrameHeader { Job = Job, Generation = 2 }, out _).ShouldBe(Verdict.Close);
        gate.Prepare(Job, 2, sink);
        gate.Retire(Job, 1);
        gate.Judge(new FrameHeader { Job = Job, Generation = 2 }, out _).ShouldBe(Verdict.Deliver);
        Should.Throw<ArgumentOutOfRangeException>(() => gate.Prepare(Job, 1, sink));
        for (var other = 0; other < 2 * GenerationGate.MaxRetired; other++)
        {
            gate.Retire((ulong)(1000 + other), 1);
        }

        gate.Judge(new FrameHeader { Job = Job, Generation = 2 }, out _).ShouldBe(Verdict.Deliver);
        gate.Judge(new FrameHeader { Job = 1000, Generation = 1 }, out _).ShouldBe(Verdict.Close);
    }

    // The header of the largest there is: nobody needs the rest.
    private static byte[] HugeFrame()
    {
        var frame = Frame(1, Generation, FrameKind.Activation)[..FrameHeader.Bytes];
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), TensorPool.LargestFloats * sizeof(float));
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(44), TensorPool.LargestFloats);
        return frame;
    }

    private static byte[] Frame(int length, long generation, FrameKind kind)
    {
        using var tensor = Tensor.Rent(new TensorPool(), new Shape(length), ElementType.Int32);
        for (var i = 0; i < length; i++)
        {
            tensor.Integers[i] = i;
        }

        var frame = new byte[FrameHeader.Bytes + (4 * length)];
        new FrameHeader { Job = Job, Generation = generation, Kind = kind }.Describing(tensor).Write(frame);
        tensor.Bytes.Span.CopyTo(frame.AsSpan(FrameHeader.Bytes));
        return frame;
    }

    private static bool IsCounting(Tensor tensor)
    {
        for (var i = 0; i < tensor.Length; i++)
        {
            if (tensor.Integers[i] != i)
            {
                return false;
            }
        }

        return true;
    }

    private sealed class Sink : IFrameSink, ITensorReceiver, IDisposable
    {
        public int Places { get; set; } = 1000;

        public int Dropped { get; private set; }

        public List<Tensor> Tensors { get; } = [];

        public Verdict Answer { get; set; } = Verdict.Deliver;

        public bool TryTakePlace(Flow flow) => Places-- > 0;

        public Verdict Judge(in FrameHeader header, ITensorReceiver receiver) => Answer;

        public void OnFrame(in FrameHeader header, Tensor tensor, ITensorReceiver receiver) => Tensors.Add(tensor);

        public void OnDropped(in FrameHeader header) => Dropped++;

        public Verdict Judge(string node, in FrameHeader header) => Verdict.Deliver;

        public void OnTensor(string node, in FrameHeader header, Tensor tensor, IPlace place) => tensor.Dispose();

        public void OnPeerLost(string node, string reason)
        {
        }

        public void Dispose()
        {
            Tensors.ForEach(tensor => tensor.Dispose());
            Tensors.Clear();
        }
    }
}
