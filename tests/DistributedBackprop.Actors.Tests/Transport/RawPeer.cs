using System.Net.Sockets;
using DistributedBackprop.Actors.Transport;

namespace DistributedBackprop.Actors.Tests.Transport;

/// <summary>Whoever speaks to a node's port by hand: well or badly.</summary>
internal static class RawPeer
{
    public static async Task<Socket> ConnectAsync(PlaneNode node)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(node.Plane.EndPoint!).WaitAsync(PlaneNode.Patience);
        return socket;
    }

    /// <summary>Connects and says hello as a node does.</summary>
    public static Task<Socket> GreetAsync(PlaneNode node, string name = "other") =>
        GreetAsync(node, NewHello(name), HelloStatus.Accepted);

    /// <summary>Connects and says a hello, which is answered as expected.</summary>
    public static async Task<Socket> GreetAsync(PlaneNode node, byte[] hello, HelloStatus expected)
    {
        var socket = await ConnectAsync(node);
        var nonce = await BeginAsync(socket, hello);
        await SendAllAsync(socket, HelloProof.Of(HelloRole.Caller, PlaneNode.Secret, hello, nonce));
        Hello.ReadAnswer(await ReceiveAsync(socket, Hello.AnswerBytes)).ShouldBe(expected);
        HelloProof.IsRight(
            await ReceiveAsync(socket, HelloProof.Bytes), HelloRole.Receiver, PlaneNode.Secret, hello, nonce).ShouldBeTrue();
        return socket;
    }

    /// <summary>Says hello up to the challenge.</summary>
    /// <returns>The receiver's nonce.</returns>
    public static async Task<byte[]> BeginAsync(Socket socket, byte[] hello)
    {
        await SendAllAsync(socket, hello);
        Hello.ReadAnswer(await ReceiveAsync(socket, Hello.AnswerBytes)).ShouldBe(HelloStatus.Challenged);
        return await ReceiveAsync(socket, Hello.NonceBytes);
    }

    public static byte[] NewHello(string node) => new Hello(node, IsProbe: false).Write(new byte[Hello.NonceBytes]);

    public static async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes).AsTask().WaitAsync(PlaneNode.Patience)..];
        }
    }

    public static async Task<byte[]> ReceiveAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var filled = 0; filled < count;)
        {
            var got = await socket.ReceiveAsync(bytes.AsMemory(filled)).AsTask().WaitAsync(PlaneNode.Patience);
            got.ShouldBePositive("the other end has closed the connection");
            filled += got;
        }

        return bytes;
    }
}
