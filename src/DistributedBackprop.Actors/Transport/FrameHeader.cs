using System.Buffers.Binary;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// The 64 bytes before every tensor on the wire: they name it fully, so that control messages and tensors need no
/// mutual order, and fit the headroom of a pooled tensor (<see cref="Tensor.BytesWithHeadroom"/>).
/// <para>
/// Little-endian: 0 magic <c>DBT</c>, 3 version, 4 payload bytes, 8 job, 16 step, 24 generation, 28 micro-batch,
/// 32 edge, 36 first position, 40 replica, 42 kind, 43 flags (bit 0 training, bit 1 last, bit 2 int32, bits 4–6 rank),
/// 44 four axes, 60 number. What is unused is zero: a header has one form only.
/// </para>
/// <para>
/// A layer's vectors are cut into parts: its slots are 0 for the gradient or the parameters, then the optimizer's in
/// their order. A <see cref="FrameKind.Contribution"/> is a part on its way from <see cref="Replica"/> to the one that
/// sums it, a <see cref="FrameKind.Average"/> the summed part of <see cref="Replica"/> on its way to all, and a
/// <see cref="FrameKind.State"/> a part of the state of <see cref="Replica"/>, of step 0 too.
/// </para>
/// </summary>
public readonly record struct FrameHeader
{
    /// <summary>Bytes of a header.</summary>
    public const int Bytes = 64;

    /// <summary>Axes that a header can name, the one of the examples included.</summary>
    public const int MaxRank = 4;

    /// <summary>The version of this layout.</summary>
    public const byte Version = 1;

    private const uint Magic = 'D' | ('B' << 8) | ('T' << 16) | (Version << 24);
    private const int Training = 1;
    private const int Last = 2;
    private const int Integers = 4;
    private const int KnownFlags = 0b0111_0111;

    /// <summary>The job, as <see cref="JobHash"/> names it.</summary>
    public ulong Job { get; init; }

    /// <summary>The placement this belongs to, 1 to 2³¹−1.</summary>
    public long Generation { get; init; }

    /// <summary>The step, ≥ 0.</summary>
    public long Step { get; init; }

    /// <summary>The micro-batch within the step or evaluation, ≥ 0; in averaging and state, the layer's slot.</summary>
    public int MicroBatch { get; init; }

    /// <summary>Whether it belongs to a training step, not to an evaluation.</summary>
    public bool IsTraining { get; init; }

    /// <summary>With targets: whether no further micro-batch of the step or evaluation follows.</summary>
    public bool IsLast { get; init; }

    /// <summary>
    /// The replica it flows in, or whose state it is; of a contribution the one that sends it, of an average the one
    /// whose part of the vector it is. ≥ 0.
    /// </summary>
    public int Replica { get; init; }

    /// <summary>The edge of the graph it flows along; in averaging and state, the layer. ≥ 0.</summary>
    public int Edge { get; init; }

    /// <summary>What it is.</summary>
    public FrameKind Kind { get; init; }

    /// <summary>
    /// The position of the first example in the step's minibatch over all replicas; in averaging and state, of the
    /// first element in the vector of the slot. ≥ 0.
    /// </summary>
    public int FirstPosition { get; init; }

    /// <summary>
    /// A number that goes with the kind: with targets, the examples of the step over all replicas; with a
    /// contribution to parameter averaging, the examples since the last round; else 0. ≥ 0.
    /// </summary>
    public int Number { get; init; }

    /// <summary>What the elements are.</summary>
    public ElementType ElementType { get; init; }

    /// <summary>How many axes there are, 0 to <see cref="MaxRank"/>.</summary>
    public int Rank { get; init; }

    private int Axis0 { get; init; }

    private int Axis1 { get; init; }

    private int Axis2 { get; init; }

    private int Axis3 { get; init; }

    /// <summary>Bytes of payload that follow.</summary>
    public int PayloadBytes { get; private init; }

    /// <summary>The flow it takes a place of.</summary>
    public Flow Flow => Flows.Of(Kind);

    /// <summary>Elements of the tensor.</summary>
    public int Elements => PayloadBytes / sizeof(float);

    /// <summary>The length of its first axis: the examples, where there are any; 0 without axes.</summary>
    public int Length => Axis0;

    /// <summary>The shape of the tensor.</summary>
    public Shape Shape => Rank switch
    {
        0 => new Shape(),
        1 => new Shape(Axis0),
        2 => new Shape(Axis0, Axis1),
        3 => new Shape(Axis0, Axis1, Axis2),
        _ => new Shape(Axis0, Axis1, Axis2, Axis3),
    };

    /// <summary>
    /// This header with type, shape and length of a tensor. Of more than four axes those from the fourth on are joined:
    /// the receiver knows the shape that its edge carries.
    /// </summary>
    public FrameHeader Describing(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var axes = tensor.Shape.Axes;
        var joined = axes.Length > 3 ? 1 : 0;
        for (var axis = 3; axis < axes.Length; axis++)
        {
            joined *= axes[axis];
        }

        return this with
        {
            ElementType = tensor.ElementType,
            Rank = Math.Min(axes.Length, MaxRank),
            Axis0 = axes.Length > 0 ? axes[0] : 0,
            Axis1 = axes.Length > 1 ? axes[1] : 0,
            Axis2 = axes.Length > 2 ? axes[2] : 0,
            Axis3 = joined,
            PayloadBytes = checked(tensor.Length * sizeof(float)),
        };
    }

    /// <summary>Writes the header.</summary>
    /// <param name="target">At least <see cref="Bytes"/> long.</param>
    /// <exception cref="OverflowException">A field is out of its range.</exception>
    public void Write(Span<byte> target)
    {
        var flags = (IsTraining ? Training : 0) | (IsLast ? Last : 0)
            | (ElementType == ElementType.Int32 ? Integers : 0) | (Rank << 4);
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        WriteNumber(target[4..], PayloadBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], Job);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], checked((ulong)Step));
        WriteNumber(target[24..], checked((int)Generation));
        WriteNumber(target[28..], MicroBatch);
        WriteNumber(target[32..], Edge);
        WriteNumber(target[36..], FirstPosition);
        BinaryPrimitives.WriteUInt16LittleEndian(target[40..], checked((ushort)Replica));
        target[42] = (byte)Kind;
        target[43] = (byte)flags;
        WriteNumber(target[44..], Axis0);
        WriteNumber(target[48..], Axis1);
        WriteNumber(target[52..], Axis2);
        WriteNumber(target[56..], Axis3);
        WriteNumber(target[60..], Number);
    }

    /// <summary>Reads and checks a header; takes no memory that grows with what it says.</summary>
    /// <param name="source">At least <see cref="Bytes"/> bytes from anybody.</param>
    /// <param name="limits">What is accepted.</param>
    /// <param name="header">The header, where the result is true.</param>
    /// <param name="error">What is wrong and what is allowed, where the result is false.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> source, FrameLimits limits, out FrameHeader header, out string? error)
    {
        ArgumentNullException.ThrowIfNull(limits);
        header = default;
        error = source.Length < Bytes
            ? $"A frame header has {Bytes} bytes (there were {source.Length})."
            : BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic
                ? $"A frame begins with 'DBT' and version {Version}."
                : null;
        if (error is not null)
        {
            return false;
        }

        var read = Read(source);
        error = FirstError(read, source, limits);
        if (error is not null)
        {
            return false;
        }

        header = read;
        return true;
    }

    private static FrameHeader Read(ReadOnlySpan<byte> source) => new()
    {
        PayloadBytes = ReadNumber(source[4..]),
        Job = BinaryPrimitives.ReadUInt64LittleEndian(source[8..]),
        Step = BinaryPrimitives.ReadInt64LittleEndian(source[16..]),
        Generation = ReadNumber(source[24..]),
        MicroBatch = ReadNumber(source[28..]),
        Edge = ReadNumber(source[32..]),
        FirstPosition = ReadNumber(source[36..]),
        Replica = BinaryPrimitives.ReadUInt16LittleEndian(source[40..]),
        Kind = (FrameKind)source[42],
        IsTraining = (source[43] & Training) != 0,
        IsLast = (source[43] & Last) != 0,
        ElementType = (source[43] & Integers) != 0 ? ElementType.Int32 : ElementType.Float32,
        Rank = (source[43] >> 4) & 7,
        Axis0 = ReadNumber(source[44..]),
        Axis1 = ReadNumber(source[48..]),
        Axis2 = ReadNumber(source[52..]),
        Axis3 = ReadNumber(source[56..]),
        Number = ReadNumber(source[60..]),
    };

    private static string? FirstError(in FrameHeader read, ReadOnlySpan<byte> source, FrameLimits limits)
    {
        if (read.Kind is < FrameKind.Activation or > FrameKind.State)
        {
            return $"The kind of a frame is 1 to 6 (was {(byte)read.Kind}).";
        }

        if ((source[43] & ~KnownFlags) != 0 || read.Rank > MaxRank)
        {
            return $"The flags of a frame name a rank of 0 to {MaxRank} and set no unknown bit (were 0x{source[43]:X2}).";
        }

        if (read.Step < 0 || read.Generation < 1
            || (read.MicroBatch | read.Edge | read.FirstPosition | read.Number) < 0)
        {
            return "Step, micro-batch, edge, first position and number are at least 0, and the generation at least 1.";
        }

        if (read.Replica >= limits.MaxReplicas || read.Edge >= limits.MaxEdges)
        {
            return $"Replicas are below {limits.MaxReplicas} (was {read.Replica}), edges below {limits.MaxEdges} (was {read.Edge}).";
        }

        return ErrorOfShape(read, limits);
    }

    private static string? ErrorOfShape(in FrameHeader read, FrameLimits limits)
    {
        if (read.PayloadBytes < 0 || read.PayloadBytes > limits.MaxPayloadBytes)
        {
            return $"A payload has at most {limits.MaxPayloadBytes} bytes (was {(uint)read.PayloadBytes}).";
        }

        ReadOnlySpan<int> axes = [read.Axis0, read.Axis1, read.Axis2, read.Axis3];
        long elements = 1;
        for (var axis = 0; axis < axes.Length; axis++)
        {
            // Every product stays below 2⁶²: it is held to 2³¹ before the next axis. A zero does not excuse the axes
            // behind it, for a shape multiplies them all.
            var length = axes[axis];
            if (length < 0 || (axis >= read.Rank && length != 0))
            {
                return "An axis is at least 0, and zero behind the last one.";
            }

            elements *= axis < read.Rank ? length : 1;
            if (elements > int.MaxValue)
            {
                return $"A tensor has at most {int.MaxValue} elements.";
            }
        }

        return elements * sizeof(float) == read.PayloadBytes
            ? null
            : $"A payload has the {elements * sizeof(float)} bytes of its shape (was {read.PayloadBytes}).";
    }

    private static void WriteNumber(Span<byte> target, int value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(target, checked((uint)value));

    private static int ReadNumber(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt32LittleEndian(source);
}
