using System.Text;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Train;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using Xunit.Abstractions;

namespace DistributedBackprop.Cli.Tests.Train;

/// <summary>
/// 10,000 mutations of a file that <c>--export</c> has written, each read as <c>--init</c> reads it: a bit that is another, a
/// byte, an end that is missing or too much, two pieces that have changed places. None is loaded as other parameters than those
/// that were written.
/// </summary>
public sealed class DamagedParametersTests(ITestOutputHelper output)
{
    private const int Mutations = 10_000;
    private const int Seed = 20261130;

    private readonly Random _random = new(Seed);

    [Fact]
    public async Task Of_ten_thousand_mutated_exports_none_is_loaded_as_something_else()
    {
        using var folder = new CommandFolder();
        (await folder.RunAsync("train", folder.Job("xor", ("epochs: 30", "steps: 3")), "--export", "sound")).ExitCode.ShouldBe(ExitCode.Done);
        var sound = await File.ReadAllBytesAsync(folder.At("sound"));
        var job = JobFile.Read(ExampleJob.PathOf("xor")).Job!;
        var graph = Graph.Of(job.Model, job.Seed);
        var written = InitialParameters.Read(folder.At("sound"), graph).Sha256;
        var dataBegins = 8 + (int)BitConverter.ToInt64(sound);
        Encoding.ASCII.GetString(sound, 8, dataBegins - 8).ShouldContain($"\"weightsSha256\":\"{written}\"");

        var harmless = 0;
        var path = folder.At("mutated");
        for (var i = 0; i < Mutations; i++)
        {
            var (file, isInHeader) = Mutated(sound, i % 6, dataBegins);
            await File.WriteAllBytesAsync(path, file);
            try
            {
                // What is loaded is all that was written, in its place, bit for bit: the mutation was in what nobody reads
                // (the padding, a key or a text of the metadata).
                InitialParameters.Read(path, graph).Sha256.ShouldBe(written);
                isInHeader.ShouldBeTrue();
                harmless++;
            }
            catch (CommandException)
            {
                // Detected.
            }
        }

        output.WriteLine($"{Mutations - harmless} of {Mutations} mutations were refused; {harmless} loaded what was written: they were in the header's padding or in the names of its metadata");
        harmless.ShouldBeLessThan(Mutations / 10);
    }

    private (byte[] File, bool IsInHeader) Mutated(byte[] sound, int kind, int dataBegins)
    {
        var file = (byte[])sound.Clone();
        var at = _random.Next(sound.Length);
        switch (kind)
        {
            case 0:
                file[at] ^= (byte)(1 << _random.Next(8));
                return (file, at < dataBegins);
            case 1:
                file[at] ^= (byte)_random.Next(1, 256);
                return (file, at < dataBegins);
            case 2:
                return (sound[..at], false);
            case 3:
                var more = new byte[_random.Next(1, 64)];
                _random.NextBytes(more);
                return ([.. sound, .. more], false);
            case 4:
                // A bit of the data: lengths, names and shapes are as they were.
                file[_random.Next(dataBegins, sound.Length)] ^= (byte)(1 << _random.Next(8));
                return (file, false);
            default:
                return Swapped(sound, file);
        }
    }

    private (byte[] File, bool IsInHeader) Swapped(byte[] sound, byte[] file)
    {
        const int Piece = 8;
        int a, b;
        do
        {
            (a, b) = (_random.Next(sound.Length / Piece) * Piece, _random.Next(sound.Length / Piece) * Piece);
        }
        while (sound.AsSpan(a, Piece).SequenceEqual(sound.AsSpan(b, Piece)));

        sound.AsSpan(a, Piece).CopyTo(file.AsSpan(b));
        sound.AsSpan(b, Piece).CopyTo(file.AsSpan(a));
        return (file, true);
    }
}
