using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Transport;

/// <summary>Where a <see cref="FrameReader"/> puts what it has read.</summary>
public interface IFrameSink
{
    /// <summary>A frame of a flow has begun.</summary>
    /// <returns>False where the sender had no place for it.</returns>
    bool TryTakePlace(Flow flow);

    /// <summary>A frame of a generation that lives here has begun: asks its receiver what becomes of it.</summary>
    Verdict Judge(in FrameHeader header, ITensorReceiver receiver);

    /// <summary>A frame is complete. The sink owns the tensor.</summary>
    void OnFrame(in FrameHeader header, Tensor tensor, ITensorReceiver receiver);

    /// <summary>A late frame has begun; its payload will be skipped.</summary>
    void OnDropped(in FrameHeader header);
}

/// <summary>
/// Makes tensors of the bytes of one connection, however they are cut: the payload is copied once, into its tensor, and
/// memory is taken only for a frame that is well formed, has a place, is of a generation that lives here and fits its
/// graph. Pure but for the sink; one thread at a time.
/// </summary>
public sealed class FrameReader : IDisposable
{
    private readonly FrameLimits _limits;
    private readonly GenerationGate _gate;
    private readonly TensorPool _pool;
    private readonly IFrameSink _sink;
    private readonly byte[] _headerBytes = new byte[FrameHeader.Bytes];
    private int _headerFilled;
    private FrameHeader _header;
    private Tensor? _tensor;
    private ITensorReceiver? _receiver;
    private int _left;

    /// <summary>Makes a reader that waits for a header.</summary>
    public FrameReader(FrameLimits limits, GenerationGate gate, TensorPool pool, IFrameSink sink)
    {
        _limits = limits;
        _gate = gate;
        _pool = pool;
        _sink = sink;
    }

    /// <summary>Whether it has read some but not all of a frame.</summary>
    public bool IsInsideFrame => _headerFilled > 0;

    /// <summary>Frames that it has read to their end.</summary>
    public long Frames { get; private set; }

    /// <summary>Reads all bytes of a span.</summary>
    /// <returns>What is wrong; null where nothing is. After an error nothing may be read any more.</returns>
    public string? Read(ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            if (_headerFilled < FrameHeader.Bytes)
            {
                if (bytes.IsEmpty)
                {
                    return null;
                }

                var taken = Math.Min(bytes.Length, FrameHeader.Bytes - _headerFilled);
                bytes[..taken].CopyTo(_headerBytes.AsSpan(_headerFilled));
                bytes = bytes[taken..];
                _headerFilled += taken;
                if (_headerFilled == FrameHeader.Bytes && Begin() is { } error)
                {
                    return error;
                }
            }
            else
            {
                var taken = Math.Min(bytes.Length, _left);
                if (_tensor is not null)
                {
                    bytes[..taken].CopyTo(_tensor.Bytes.Span[^_left..]);
                }

                bytes = bytes[taken..];
                _left -= taken;
                if (_left > 0)
                {
                    return null;
                }

                End();
            }
        }
    }

    /// <summary>Gives up the tensor of a frame that will not be completed.</summary>
    public void Dispose()
    {
        _tensor?.Dispose();
        _tensor = null;
    }

    private string? Begin()
    {
        if (!FrameHeader.TryParse(_headerBytes, _limits, out _header, out var error))
        {
            return error;
        }

        if (!_sink.TryTakePlace(_header.Flow))
        {
            return $"A frame of the flow {_header.Flow} came without a place.";
        }

        var verdict = _gate.Judge(_header, out _receiver);
        switch (verdict == Verdict.Deliver ? _sink.Judge(_header, _receiver!) : verdict)
        {
            case Verdict.Close:
                return verdict == Verdict.Close
                    ? $"Generation {_header.Generation} of job {_header.Job:X16} was not prepared here."
                    : $"Nobody here takes {_header.Kind} {_header.Shape} of edge {_header.Edge}, replica {_header.Replica}.";
            case Verdict.Drop:
                _sink.OnDropped(_header);
                break;
            default:
                _tensor = Tensor.Rent(_pool, _header.Shape, _header.ElementType);
                break;
        }

        _left = _header.PayloadBytes;
        return null;
    }

    private void End()
    {
        _headerFilled = 0;
        Frames++;
        if (_tensor is { } tensor)
        {
            _tensor = null;
            _sink.OnFrame(_header, tensor, _receiver!);
        }
    }
}
