using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// The content of a file, unpacked where it is gzip, with the memory that it may take bounded by what has really come:
/// a header that promises much costs nothing.
/// </summary>
internal sealed class IdxSource : IDisposable
{
    private const int FirstChunkBytes = 64 * 1024;

    // Images pack to a fifth or so: most files then need no second chunk.
    private const int UsualRatio = 8;

    private readonly Stream _file;
    private readonly Stream _content;
    private readonly GZipStream? _gzip;
    private readonly long _fileBytes;
    private long _position;

    private IdxSource(Stream file, GZipStream? gzip, long fileBytes, string name)
    {
        _file = file;
        _content = gzip ?? file;
        _gzip = gzip;
        _fileBytes = fileBytes;
        Name = name;
    }

    /// <summary>How errors call the file.</summary>
    public string Name { get; }

    /// <summary>Looks at the first two bytes: gzip (RFC 1952) says so itself, whatever the file is called.</summary>
    /// <exception cref="ArgumentException">The stream cannot seek.</exception>
    public static IdxSource Open(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
        {
            throw new ArgumentException("The stream must know its length.", nameof(stream));
        }

        var start = stream.Position;
        Span<byte> magic = stackalloc byte[2];
        var read = stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        stream.Position = start;
        var gzip = read == 2 && magic[0] == 0x1f && magic[1] == 0x8b
            ? new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true)
            : null;
        return new IdxSource(stream, gzip, stream.Length - start, name);
    }

    /// <summary>Fills a part of the header.</summary>
    public void ReadHeader(Span<byte> destination)
    {
        if (Read(destination) < destination.Length)
        {
            throw new DataException(Name, "ends within its header", "a whole IDX file", _position);
        }
    }

    /// <summary>Reads all elements, as they lie in the file, and checks that nothing follows.</summary>
    /// <param name="count">How many the header promises, ≥ 1.</param>
    public T[] ReadToEnd<T>(int count)
        where T : unmanaged
    {
        var size = Unsafe.SizeOf<T>();
        var needed = (long)count * size;
        if (_gzip is null && _fileBytes - _position < needed)
        {
            throw Short(needed, _fileBytes - _position);
        }

        var first = _gzip is null ? count : (int)Math.Min(count, Math.Max(FirstChunkBytes, _fileBytes * UsualRatio) / size);
        var elements = GC.AllocateUninitializedArray<T>(first);
        var filled = 0;
        while (true)
        {
            var read = Read(MemoryMarshal.AsBytes(elements.AsSpan(filled)));
            if (read < (long)(elements.Length - filled) * size)
            {
                throw Short(needed, ((long)filled * size) + read);
            }

            filled = elements.Length;
            if (filled == count)
            {
                ExpectEnd();
                return elements;
            }

            Array.Resize(ref elements, (int)Math.Min(count, 2L * filled));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gzip?.Dispose();

    // Reading past the end also lets gzip check its CRC.
    private void ExpectEnd()
    {
        Span<byte> one = stackalloc byte[1];
        var end = _position;
        if (Read(one) != 0)
        {
            throw new DataException(Name, "goes on after its last element", "a file that ends here", end);
        }

        if (_gzip is not null)
        {
            CheckTrailer();
        }
    }

    // GZipStream takes a file whose trailer is cut off, and one that something follows, for whole. The last four bytes
    // of a whole one are the content's length modulo 2³².
    private void CheckTrailer()
    {
        Span<byte> length = stackalloc byte[4];
        _file.Position = _file.Length - length.Length;
        _file.ReadExactly(length);
        if (BinaryPrimitives.ReadUInt32LittleEndian(length) != (uint)_position)
        {
            throw new DataException(Name, "is damaged gzip: its end is cut off, or something follows it", "a whole file");
        }
    }

    private int Read(Span<byte> destination)
    {
        try
        {
            var read = _content.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
            _position += read;
            return read;
        }
        catch (Exception cause) when (cause is InvalidDataException or EndOfStreamException)
        {
            throw new DataException(Name, $"is damaged gzip: {cause.Message}", null, _position, cause);
        }
    }

    private DataException Short(long needed, long found) =>
        new(Name, $"ends after {found} bytes of elements; its header promises {needed}", "a whole file", _position);
}
