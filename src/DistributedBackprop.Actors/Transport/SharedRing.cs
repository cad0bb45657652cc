using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace DistributedBackprop.Actors.Transport;

/// <summary>Where another process of this machine finds a ring: in the table of open files of the one that made it.</summary>
/// <param name="ProcessId">Who made it.</param>
/// <param name="Descriptor">Its number there.</param>
/// <param name="Capacity">Bytes under way at most, as <see cref="SharedRing.IsCapacity"/> allows.</param>
public readonly record struct RingOffer(int ProcessId, int Descriptor, int Capacity);

/// <summary>
/// A pipe of bytes in memory that two processes of one machine share: frames go through it instead of through the
/// connection, at a fraction of the cost. The connection stays: it says who is there, brings grants back, and breaks when
/// one of the two is gone. One thread writes at a time, one reads; whoever has to wait sleeps on a word of this memory.
/// <para>
/// The memory is a file without a name: it is removed before it is offered, found by the other process through
/// <c>/proc</c> (which lets in only the same user), and gone with the last of the two, however they end.
/// </para>
/// <para>
/// Layout: 0 the hello's nonce, 64 <see cref="Side"/> of the writer, 128 that of the reader, 4096 bytes. What the other
/// process writes here is only believed where it makes sense.
/// </para>
/// </summary>
internal sealed unsafe class SharedRing : IDisposable
{
    private const string Folder = "/dev/shm";
    private const int DataAt = 4096;
    private const int WriterAt = 64;
    private const int ReaderAt = 128;
    private const int MaxCapacity = 1 << 30;
    private const int Alignment = 64;
    private const int ZerosAtOnce = 256 << 10;

    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly int _capacity;
    private readonly byte* _start;
    private long _position;

    private SharedRing(SafeFileHandle file, int capacity)
    {
        _file = file;
        _capacity = capacity;
        _map = MemoryMappedFile.CreateFromFile(
            file, null, DataAt + capacity, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor(0, DataAt + capacity);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _start = start;
    }

    /// <summary>How another process finds it.</summary>
    public RingOffer Offer => new(Environment.ProcessId, (int)_file.DangerousGetHandle(), _capacity);

    /// <summary>Bytes that can be written now without waiting; negative where the reader has written nonsense.</summary>
    public long Free => Waiting(_position, Volatile.Read(ref Reader->Position)) is var waiting and >= 0 ? _capacity - waiting : -1;

    private Side* Writer => (Side*)(_start + WriterAt);

    private Side* Reader => (Side*)(_start + ReaderAt);

    /// <summary>Whether a ring can have as many bytes: a multiple of 64, 4 KB to 1 GB.</summary>
    public static bool IsCapacity(int bytes) => bytes is >= 4096 and <= MaxCapacity && bytes % Alignment == 0;

    /// <summary>Makes a ring to write to; null where this machine has none, or no memory for it.</summary>
    /// <param name="capacity">Bytes, as <see cref="IsCapacity"/> allows.</param>
    /// <param name="nonce">What the reader will know it by: the hello's.</param>
    /// <param name="folder">Where files are memory.</param>
    public static SharedRing? TryCreate(int capacity, ReadOnlySpan<byte> nonce, string folder = Folder)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(IsCapacity(capacity), false, nameof(capacity));
        if (!Futex.IsThere || !Directory.Exists(folder))
        {
            return null;
        }

        SafeFileHandle? file = null;
        try
        {
            var name = Path.Combine(folder, $"backprop-{Convert.ToHexString(RandomNumberGenerator.GetBytes(16))}");
            file = new FileStream(name, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite | FileShare.Delete,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }).SafeFileHandle;
            File.Delete(name);
            Reserve(file, DataAt + capacity);
            var ring = new SharedRing(file, capacity);
            nonce.CopyTo(new Span<byte>(ring._start, Hello.NonceBytes));
            return ring;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            return null;
        }
    }

    /// <summary>Opens the ring that a caller offers, to read from it; null where it is not to be had.</summary>
    /// <param name="offer">From somebody who has proved to know the secret.</param>
    /// <param name="nonce">The hello's.</param>
    public static SharedRing? TryOpen(RingOffer offer, ReadOnlySpan<byte> nonce)
    {
        if (!Futex.IsThere || !IsCapacity(offer.Capacity) || offer.ProcessId < 1 || offer.Descriptor < 0)
        {
            return null;
        }

        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(
                $"/proc/{offer.ProcessId}/fd/{offer.Descriptor}",
                FileMode.Open,
                FileAccess.ReadWrite,
                FileShare.ReadWrite | FileShare.Delete);
            var start = new byte[Hello.NonceBytes];
            if (RandomAccess.GetLength(file) == DataAt + offer.Capacity
                && RandomAccess.Read(file, start, 0) == start.Length
                && CryptographicOperations.FixedTimeEquals(start, nonce))
            {
                return new SharedRing(file, offer.Capacity);
            }
        }
        catch (Exception closed) when (closed is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // Another user's, another container's, or gone: the frames go over the connection.
        }

        file?.Dispose();
        return null;
    }

    /// <summary>
    /// Writes bytes for which <see cref="Free"/> has shown room, for the reader to see once they are published. What the
    /// reader says meanwhile is not asked again: it may say anything.
    /// </summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, _capacity, nameof(bytes));
        var first = Math.Min(bytes.Length, ToEnd());
        bytes[..first].CopyTo(new Span<byte>(Here(), first));
        bytes[first..].CopyTo(new Span<byte>(_start + DataAt, bytes.Length - first));
        _position += bytes.Length;
    }

    /// <summary>Shows the reader what was written.</summary>
    public void Publish() => Show(Writer, Reader);

    /// <summary>Sleeps until there is room, or some time has passed, or <see cref="Wake"/>.</summary>
    public void AwaitRoom(TimeSpan atMost) => Await(Writer, Reader, _position - _capacity, atMost);

    /// <summary>
    /// The bytes that wait to be read, up to the ring's end; empty where there are none. To be given back by
    /// <see cref="Consume"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">The writer has written nonsense.</exception>
    public ReadOnlySpan<byte> Peek()
    {
        var waiting = Waiting(Volatile.Read(ref Writer->Position), _position);
        return waiting < 0
            ? throw new InvalidDataException("The memory that was shared for frames is damaged.")
            : new ReadOnlySpan<byte>(Here(), (int)Math.Min(waiting, ToEnd()));
    }

    /// <summary>Gives room back.</summary>
    public void Consume(int bytes)
    {
        _position += bytes;
        Show(Reader, Writer);
    }

    /// <summary>Sleeps until there is something to read, or some time has passed, or <see cref="Wake"/>.</summary>
    public void AwaitBytes(TimeSpan atMost) => Await(Reader, Writer, _position, atMost);

    /// <summary>Wakes whoever of this process waits here.</summary>
    public void Wake()
    {
        Signal(Writer);
        Signal(Reader);
    }

    /// <summary>Gives the memory back. Nobody may use it any more.</summary>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _file.Dispose();
    }

    // A file with no more than a length gets its pages when they are touched, and where there is none left then the process
    // that touches it dies: of 64 MB, in a container, a few rings are all. A write fails.
    private static void Reserve(SafeFileHandle file, int bytes)
    {
        var zeros = new byte[Math.Min(bytes, ZerosAtOnce)];
        for (var at = 0; at < bytes; at += zeros.Length)
        {
            RandomAccess.Write(file, zeros.AsSpan(0, Math.Min(zeros.Length, bytes - at)), at);
        }
    }

    private static void Signal(Side* side)
    {
        Interlocked.Increment(ref side->Signal);
        Futex.Wake(&side->Signal);
    }

    // The bytes between two positions; −1 where they make no sense.
    private long Waiting(long written, long read) =>
        written - read is var waiting && waiting >= 0 && waiting <= _capacity ? waiting : -1;

    private void Show(Side* own, Side* other)
    {
        Volatile.Write(ref own->Position, _position);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref other->IsWaiting) != 0)
        {
            Volatile.Write(ref other->IsWaiting, 0);
            Signal(own);
        }
    }

    // Whoever waits says so first and looks again then: the other end looks after it has moved on.
    private void Await(Side* own, Side* other, long position, TimeSpan atMost)
    {
        var signal = Volatile.Read(ref other->Signal);
        Volatile.Write(ref own->IsWaiting, 1);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref other->Position) == position)
        {
            Futex.Wait(&other->Signal, signal, atMost);
        }

        Volatile.Write(ref own->IsWaiting, 0);
    }

    private int ToEnd() => _capacity - (int)(_position % _capacity);

    private byte* Here() => _start + DataAt + (_position % _capacity);

    // How far one end is, and whether it sleeps until the other moves on. A cache line of its own.
    private struct Side
    {
        public long Position;
        public int Signal;
        public int IsWaiting;
    }
}
