namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// Numbers in row-major order on pooled, pinned, 64-byte aligned memory: float32, or int32 for labels and tokens.
/// <para>
/// <b>The ownership rule.</b> Every <see cref="Tensor"/> object has exactly one owner, and the owner disposes of it
/// once. Whoever gets one as a return value or in a message owns it; a method argument is only borrowed, unless the
/// method's documentation says that it takes it. Who wants to keep a borrowed tensor, or to give one tensor to two
/// owners, makes a second object on the same memory with <see cref="Share()"/>. Only while
/// <see cref="IsSole"/> may its elements be written.
/// </para>
/// A tensor that was disposed throws at every use. In debug builds the pool also counts those that nobody disposed
/// (<see cref="TensorPool.Leaked"/>) and fills what comes back with NaN.
/// </summary>
public sealed unsafe class Tensor : IDisposable
{
    private readonly int _start;
    private TensorBuffer? _buffer;

    private Tensor(TensorBuffer buffer, int start, Shape shape, ElementType type)
    {
        _buffer = buffer;
        _start = start;
        Shape = shape;
        ElementType = type;
    }

#if DEBUG
    /// <summary>Counts a tensor that nobody disposed.</summary>
    ~Tensor() => _buffer?.Pool.CountLeak();
#endif

    /// <summary>The lengths of the axes.</summary>
    public Shape Shape { get; }

    /// <summary>What the elements are.</summary>
    public ElementType ElementType { get; }

    /// <summary>How many elements there are.</summary>
    public int Length => Shape.Length;

    /// <summary>Whether no other tensor shares this one's memory, so that it may be written.</summary>
    public bool IsSole => Buffer.References == 1;

    /// <summary>Whether two tensors lie at the same place, so that writing one writes the other.</summary>
    public bool IsSameMemoryAs(Tensor other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return ReferenceEquals(Buffer, other.Buffer) && _start == other._start;
    }

    /// <summary>The elements of a float tensor.</summary>
    /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
    /// <exception cref="InvalidOperationException">The elements are integers.</exception>
    public Span<float> Floats => new(Pointer, Length);

    /// <summary>The elements of an integer tensor.</summary>
    /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
    /// <exception cref="InvalidOperationException">The elements are floats.</exception>
    public Span<int> Integers => ElementType == ElementType.Int32
        ? new((int*)Buffer.Payload + _start, Length)
        : throw new InvalidOperationException("This tensor holds float32, not int32.");

    /// <summary>The first element of a float tensor, at a multiple of 64 bytes; valid until disposed.</summary>
    internal float* Pointer => ElementType == ElementType.Float32
        ? (float*)Buffer.Payload + _start
        : throw new InvalidOperationException("This tensor holds int32, not float32.");

    private TensorBuffer Buffer => _buffer ?? throw new ObjectDisposedException(nameof(Tensor));

    /// <summary>Takes a float tensor from a pool. Its elements are unspecified.</summary>
    public static Tensor Rent(TensorPool pool, Shape shape) => Rent(pool, shape, ElementType.Float32);

    /// <summary>Takes a tensor from a pool. Its elements are unspecified.</summary>
    public static Tensor Rent(TensorPool pool, Shape shape, ElementType type)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(shape);
        return new Tensor(pool.Rent(checked(shape.Length * sizeof(float))), 0, shape, type);
    }

    /// <summary>Takes a float tensor from a pool and sets every element to +0.</summary>
    public static Tensor RentZeros(TensorPool pool, Shape shape)
    {
        var tensor = Rent(pool, shape);
        tensor.Floats.Clear();
        return tensor;
    }

    /// <summary>A second owner's tensor on the same memory.</summary>
    public Tensor Share() => Share(Shape);

    /// <summary>A second owner's tensor on the same memory, with the same elements under another shape.</summary>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public Tensor Share(Shape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return shape.Length == Length
            ? Share(0, shape)
            : throw new ArgumentException($"{shape} has not as many elements as {Shape}.", nameof(shape));
    }

    /// <summary>A second owner's tensor on a part of the same memory.</summary>
    /// <param name="start">Where the part begins, in elements. Only at multiples of 16 is it aligned.</param>
    /// <param name="shape">The shape of the part.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie within this tensor.</exception>
    public Tensor Share(int start, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shape.Length, Length - start, nameof(shape));
        var buffer = Buffer;
        buffer.AddReference();
        return new Tensor(buffer, _start + start, shape, ElementType);
    }

    /// <summary>
    /// A tensor with these elements that may be written: this one where it is the only owner's, else a copy. Takes this
    /// tensor: the caller goes on with the result alone.
    /// </summary>
    public Tensor ToSole()
    {
        if (IsSole)
        {
            return this;
        }

        var copy = new Tensor(Buffer.Pool.Rent(Length * sizeof(float)), 0, Shape, ElementType);
        System.Buffer.MemoryCopy(
            (float*)Buffer.Payload + _start, copy.Buffer.Payload, copy.Buffer.CapacityBytes, Length * sizeof(float));
        Dispose();
        return copy;
    }

    /// <summary>Whether all elements of a float tensor are finite. Slow: asked when something went wrong.</summary>
    public bool IsFinite
    {
        get
        {
            foreach (var value in Floats)
            {
                if (!float.IsFinite(value))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Adds another tensor's elements to this one's.</summary>
    /// <param name="other">Float, with as many elements; borrowed.</param>
    public void Add(Tensor other)
    {
        ArgumentNullException.ThrowIfNull(other);
        ActivationKernels.Add(Floats, other.Floats);
    }

    /// <summary>
    /// The elements as bytes with 64 bytes before them that the sender may fill with a frame header: both leave in one
    /// send.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is a part of a tensor: there is no headroom before it.</exception>
    public Memory<byte> BytesWithHeadroom => _start == 0
        ? Buffer.WithHeadroom(Length * sizeof(float))
        : throw new InvalidOperationException("A part of a tensor has no headroom.");

    /// <summary>Whether there is headroom before it: not before a part that begins within a tensor.</summary>
    public bool HasHeadroom => _start == 0;

    /// <summary>The elements as bytes in the machine's order (little-endian), also of a part of a tensor.</summary>
    /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
    public Memory<byte> Bytes
    {
        get
        {
            var start = _start * sizeof(float);
            return Buffer.WithHeadroom(start + (Length * sizeof(float)))[(TensorBuffer.Headroom + start)..];
        }
    }

    /// <summary>Gives up this owner's share; the last one gives the memory back to its pool.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed before: somebody else believes to own it.</exception>
    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, null) ?? throw new ObjectDisposedException(nameof(Tensor));
        GC.SuppressFinalize(this);
        buffer.Release();
    }

    /// <summary>The shape, for error messages and traces.</summary>
    public override string ToString() => $"{ElementType}{Shape}";
}
