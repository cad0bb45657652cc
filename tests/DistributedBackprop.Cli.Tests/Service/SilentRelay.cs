using System.Net;
using System.Net.Sockets;

namespace DistributedBackprop.Cli.Tests.Service;

/// <summary>Stands between a client and a service, and can fall silent: as a cut cable, it closes nothing and passes nothing on.</summary>
internal sealed class SilentRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _port;
    private CancellationTokenSource _cut = new();

    /// <param name="service">Where it passes things on to.</param>
    public SilentRelay(Uri service)
    {
        _port = service.Port;
        _listener.Start();
        Address = $"http://{_listener.LocalEndpoint}";
        _ = AcceptAsync();
    }

    /// <summary>Where clients find it.</summary>
    public string Address { get; }

    /// <summary>Passes nothing on any more of the connections that there are; new ones are as good as ever.</summary>
    public void Cut() => Interlocked.Exchange(ref _cut, new CancellationTokenSource()).Cancel();

    public void Dispose()
    {
        _end.Cancel();
        _cut.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            var client = await _listener.AcceptSocketAsync(_end.Token);
            var service = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await service.ConnectAsync(IPAddress.Loopback, _port, _end.Token);
            _ = PassOnAsync(client, service, _cut.Token);
            _ = PassOnAsync(service, client, _cut.Token);
        }
    }

    private static async Task PassOnAsync(Socket from, Socket to, CancellationToken cut)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int length;
            while ((length = await from.ReceiveAsync(buffer, cut)) > 0)
            {
                await to.SendAsync(buffer.AsMemory(0, length), cut);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (OperationCanceledException)
        {
            // Silent from now on; the sockets stay open.
        }
        catch (SocketException)
        {
            // One of the two is gone, and hears of it by itself.
        }
    }
}
