using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Akka.Dispatch.SysMsg;

namespace DistributedBackprop.Simulation;

/// <summary>
/// Everything that happened, in order, as a running SHA-256: runs, messages (time, receiver, sender, type, content), system
/// messages, timers, nodes. Two simulations with the same hash did the same.
/// </summary>
internal sealed class Trace(Action<object, StringBuilder>? content, Action<string>? onLine) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[8192];
    private readonly StringBuilder _content = new(1024);
    private readonly List<SystemSend> _systemSends = [];
    private int _filled;
    private bool _inStep;

    private readonly record struct SystemSend(string Receiver, int Sequence, SystemMessage Message, TimeSpan Time);

    /// <summary>The hash of everything up to now, 64 lower-case hexadecimal digits.</summary>
    public string Hash
    {
        get
        {
            Flush();
            return Convert.ToHexStringLower(_hash.GetCurrentHash());
        }
    }

    /// <summary>A step begins: what is sent until <see cref="EndStep"/> was sent by it.</summary>
    public void BeginStep(string kind, TimeSpan time, SimulatedNode? node, string path)
    {
        _inStep = true;
        Line(kind, time, node?.Label ?? "", path, "", "");
    }

    /// <summary>A message is taken from its mailbox and handled.</summary>
    public void Message(TimeSpan time, SimulatedNode node, string receiver, string sender, object message)
    {
        Line("message", time, node.Label, receiver, sender, message.GetType().ToString());
        _content.Clear();
        content?.Invoke(message, _content);
        Number(_content.Length);
        foreach (ReadOnlyMemory<char> part in _content.GetChunks())
        {
            Characters(part.Span);
        }

        onLine?.Invoke($"    {_content}");
    }

    /// <summary>A system message is sent.</summary>
    /// <remarks>
    /// A parent stops its children in the order of string hashes, which differs between processes; the receivers are
    /// different mailboxes, so that order has no effect. What a step sends is therefore written sorted by receiver at its end.
    /// </remarks>
    public void SystemMessage(TimeSpan time, string receiver, SystemMessage message)
    {
        _systemSends.Add(new SystemSend(receiver, _systemSends.Count, message, time));
        if (!_inStep)
        {
            WriteSystemSends();
        }
    }

    /// <summary>A node started, was killed, or was asked to stop.</summary>
    public void Node(TimeSpan time, SimulatedNode node, string what) => Line("node", time, node.Label, what, "", "");

    /// <summary>The step that began last is over.</summary>
    public void EndStep()
    {
        WriteSystemSends();
        _inStep = false;
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private void WriteSystemSends()
    {
        if (_systemSends.Count > 1)
        {
            _systemSends.Sort(static (a, b) =>
                string.CompareOrdinal(a.Receiver, b.Receiver) is var byPath and not 0 ? byPath : a.Sequence.CompareTo(b.Sequence));
        }

        foreach (SystemSend send in _systemSends)
        {
            Line("system", send.Time, send.Receiver, send.Message.GetType().ToString(), MessageContent.OfSystem(send.Message) ?? "", "");
        }

        _systemSends.Clear();
    }

    private void Line(string kind, TimeSpan time, string a, string b, string c, string d)
    {
        Text(kind);
        Number(time.Ticks);
        Text(a);
        Text(b);
        Text(c);
        Text(d);
        onLine?.Invoke(string.Create(CultureInfo.InvariantCulture, $"{time:c} {kind} {a} {b} {c} {d}"));
    }

    private void Number(long value)
    {
        Reserve(sizeof(long));
        BinaryPrimitives.WriteInt64LittleEndian(_buffer.AsSpan(_filled), value);
        _filled += sizeof(long);
    }

    // The length goes first, so that no two sequences of texts run together into the same bytes.
    private void Text(string text)
    {
        Number(text.Length);
        Characters(text);
    }

    private void Characters(ReadOnlySpan<char> characters)
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(characters);
        if (bytes.Length > _buffer.Length)
        {
            Flush();
            _hash.AppendData(bytes);
            return;
        }

        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_filled));
        _filled += bytes.Length;
    }

    private void Reserve(int count)
    {
        if (_buffer.Length - _filled < count)
        {
            Flush();
        }
    }

    private void Flush()
    {
        _hash.AppendData(_buffer, 0, _filled);
        _filled = 0;
    }
}
