using DistributedBackprop.Actors.Journal;

namespace DistributedBackprop.Actors.Tests.Journal;

/// <summary>An event as a journal holds it.</summary>
/// <param name="Manifest">Its kind and version.</param>
/// <param name="Bytes">The event.</param>
internal sealed record JournalRow(string Manifest, byte[] Bytes)
{
    private static readonly JournalSerializer _serializer = new(null!);

    public static JournalRow Of(IJournalEvent record) => new(_serializer.Manifest(record), _serializer.ToBinary(record));

    /// <summary>A line of a recorded journal.</summary>
    public static JournalRow Parse(string line)
    {
        var parts = line.Split(' ');
        return new JournalRow(parts[0], Convert.FromBase64String(parts[1]));
    }

    public object Read() => _serializer.FromBinary(Bytes, Manifest);

    public override string ToString() => $"{Manifest} {Convert.ToBase64String(Bytes)}";
}
