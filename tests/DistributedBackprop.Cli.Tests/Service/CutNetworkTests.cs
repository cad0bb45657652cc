using System.Text.Json;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Service;

/// <summary>The network between a command and its service is cut: nobody says so, and nothing comes any more.</summary>
public sealed class CutNetworkTests
{
    [Fact]
    public async Task A_watch_finds_out_and_goes_on_after_the_last_event()
    {
        using var service = await ServiceProcess.StartAsync();
        using var relay = new SilentRelay(new Uri(service.Address));
        var job = service.Folder.Job("xor", ("epochs: 30", "epochs: 1000000"));
        (await service.RunAsync("submit", job, "--id", "long")).ExitCode.ShouldBe(ExitCode.Done);
        using var watch = service.Start("watch", "long", "--json", "--address", relay.Address);
        await watch.ReadUntilAsync(line => line.Contains("\"progress\"", StringComparison.Ordinal));
        relay.Cut();

        // What was on its way may still come: an epoch that ends after the cut can only come over another connection.
        var newest = (await service.RunAsync("jobs", "--json")).Last.GetProperty("step").GetInt64();
        var told = new List<int>();
        await watch.ReadUntilAsync(line =>
        {
            var happened = JsonDocument.Parse(line).RootElement;
            if (happened.Word() == "epoch")
            {
                told.Add(happened.GetProperty("epoch").GetInt32());
            }

            return happened.Word() == "progress" && happened.GetProperty("step").GetInt64() > newest;
        });
        told.ShouldBeUnique();
        watch.Signal("INT");
        (await watch.EndAsync()).ExitCode.ShouldBe(ExitCode.Interrupted);
    }
}
