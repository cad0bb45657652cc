using System.Net;
using System.Net.Sockets;
using System.Text;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>Whoever can reach a node's port for tensors and means no good; with or without the secret.</summary>
internal sealed class Intruder : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private Intruder()
    {
    }

    /// <summary>Connects and says nothing yet.</summary>
    public static async Task<Intruder> ConnectAsync(int port)
    {
        var intruder = new Intruder();
        await intruder._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)).WaitAsync(_patience);
        return intruder;
    }

    /// <summary>Connects and says hello as a node does: it knows the secret.</summary>
    public static async Task<Intruder> GreetAsync(int port, string name)
    {
        var intruder = await ConnectAsync(port);
        var hello = HelloOf(name);
        var nonce = await intruder.BeginAsync(hello);
        await intruder.SendAsync(HelloProof.Of(HelloRole.Caller, Encoding.UTF8.GetBytes(LinkedNodes.Secret), hello, nonce));
        Hello.ReadAnswer(await intruder.ReceiveAsync(Hello.AnswerBytes)).ShouldBe(HelloStatus.Accepted);
        await intruder.ReceiveAsync(HelloProof.Bytes);

        // Before its places are granted no frame is taken.
        await intruder.ReceiveAsync(Flows.Count * PlaceGrant.Bytes);
        return intruder;
    }

    /// <summary>A hello.</summary>
    public static byte[] HelloOf(string name) => new Hello(name, IsProbe: false).Write(new byte[Hello.NonceBytes]);

    /// <summary>A well-formed frame of zeros.</summary>
    /// <param name="header">Its name.</param>
    /// <param name="type">What its elements are.</param>
    /// <param name="axes">Its shape.</param>
    public static byte[] FrameOf(in FrameHeader header, ElementType type, params ReadOnlySpan<int> axes)
    {
        using var tensor = Tensor.Rent(new TensorPool(), new Shape(axes), type);
        var frame = new byte[FrameHeader.Bytes + (sizeof(float) * tensor.Length)];
        header.Describing(tensor).Write(frame);
        return frame;
    }

    /// <summary>A well-formed header, of a frame of any size.</summary>
    /// <param name="header">Its name.</param>
    /// <param name="type">What its elements are.</param>
    /// <param name="axes">Its shape.</param>
    public static byte[] HeaderOf(in FrameHeader header, ElementType type, params ReadOnlySpan<int> axes)
    {
        Span<int> ones = stackalloc int[axes.Length];
        ones.Fill(1);
        var bytes = FrameOf(header, type, ones)[..FrameHeader.Bytes];
        BitConverter.TryWriteBytes(bytes.AsSpan(4), new Shape(axes).Length * sizeof(float)).ShouldBeTrue();
        for (var axis = 0; axis < axes.Length; axis++)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(44 + (4 * axis)), axes[axis]).ShouldBeTrue();
        }

        return bytes;
    }

    /// <summary>Says hello up to the challenge.</summary>
    /// <returns>The node's nonce.</returns>
    public async Task<byte[]> BeginAsync(byte[] hello)
    {
        await SendAsync(hello);
        Hello.ReadAnswer(await ReceiveAsync(Hello.AnswerBytes)).ShouldBe(HelloStatus.Challenged);
        return await ReceiveAsync(Hello.NonceBytes);
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await _socket.SendAsync(bytes).AsTask().WaitAsync(_patience)..];
        }
    }

    /// <summary>Sends, though the node may have closed the connection already.</summary>
    public async Task TrySendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await SendAsync(bytes);
        }
        catch (SocketException)
        {
            // Closed in the middle of it.
        }
    }

    /// <summary>Waits until the node has closed the connection.</summary>
    public async Task AssertClosedAsync()
    {
        var bytes = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(bytes.AsMemory()).AsTask().WaitAsync(_patience) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset is an end, too.
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task<byte[]> ReceiveAsync(int count)
    {
        var bytes = new byte[count];
        for (var filled = 0; filled < count;)
        {
            var got = await _socket.ReceiveAsync(bytes.AsMemory(filled)).AsTask().WaitAsync(_patience);
            got.ShouldBePositive("the node has closed the connection");
            filled += got;
        }

        return bytes;
    }
}
