using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// The database of the coordinator: what is in it survives the process. Slow, failing, away or damaged, as faults have it.
/// </summary>
public sealed class SimulatedDisk
{
    /// <summary>How long a write takes at most where nothing else is said.</summary>
    public static readonly TimeSpan UsualWrite = TimeSpan.FromMilliseconds(2);

    private readonly SortedDictionary<string, SortedDictionary<long, JournalEntry>> _journals = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _deleted = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Job, ContentHash Hash), Piece> _pieces = [];

    /// <summary>How long a write takes at most. Default: <see cref="UsualWrite"/>.</summary>
    public TimeSpan LongestWrite { get; set; } = UsualWrite;

    /// <summary>Whether whatever is asked fails.</summary>
    public bool Fails { get; set; }

    /// <summary>Whether it does not answer at all: what is asked waits until it does.</summary>
    public bool IsAway { get; set; }

    /// <summary>
    /// Whether the connection is lost before a write is answered, every other time: what was written is kept, and whoever asked
    /// is told that it failed.
    /// </summary>
    public bool LosesAnswers { get; set; }

    /// <summary>Whether a state that is written is broken off: some of its pieces are kept, and it is told that it failed.</summary>
    public bool Tears { get; set; }

    /// <summary>Called with what is wrong with it (the name of a property) when something that is asked of it feels it.</summary>
    internal Action<string>? Felt { get; set; }

    /// <summary>What becomes of a piece that is written; null: it is kept as it is. To try mistakes.</summary>
    internal Func<byte[], byte[]?>? PieceInterceptor { get; set; }

    /// <summary>Whether an event is kept that is acknowledged; null: every one is. To try mistakes.</summary>
    internal Func<object, bool>? EventInterceptor { get; set; }

    /// <summary>
    /// Is told the node that writes, an event that is acknowledged at once, and how to keep it, which it does when it sees
    /// fit; null: events are kept first. To try the mistake.
    /// </summary>
    internal Action<SimulatedNode, object, Action>? KeepsBehind { get; set; }

    /// <summary>
    /// Whether an event is refused whose number another one has: the fence against whoever has the journal no more. Default:
    /// true; false to try the mistake.
    /// </summary>
    internal bool RefusesTakenNumbers { get; set; } = true;

    /// <summary>Events that are kept, those of which nobody was told included.</summary>
    public long Commits => Audit.Commits;

    /// <summary>How often a process has taken a journal over.</summary>
    public long Epochs => Audit.Epochs;

    /// <summary>How often anything was changed.</summary>
    internal long Writes { get; private set; }

    /// <summary>Who has committed what.</summary>
    internal JournalAudit Audit { get; } = new();

    /// <summary>How many pieces of states there are.</summary>
    public int Pieces => _pieces.Count;

    /// <summary>Whether something is wrong with it, which whoever asks feels.</summary>
    internal bool Feels(bool isWrong, string what)
    {
        if (isWrong)
        {
            Felt?.Invoke(what);
        }

        return isWrong;
    }

    /// <summary>How long a write takes at most, for one that is asked for.</summary>
    internal TimeSpan Delay()
    {
        Feels(LongestWrite > UsualWrite, nameof(LongestWrite));
        return LongestWrite;
    }

    /// <summary>Flips a bit of a piece, as a bad disk does.</summary>
    /// <param name="draws">Says which.</param>
    /// <returns>Whether there was one.</returns>
    public bool Damage(KeyedGenerator draws)
    {
        // A torn write may have left nothing of one.
        var keys = _pieces.Where(piece => piece.Value.Content.Length > 0).Select(piece => piece.Key)
            .OrderBy(key => key.Job, StringComparer.Ordinal)
            .ThenBy(key => key.Hash.ToString(), StringComparer.Ordinal)
            .ToList();
        if (keys.Count == 0)
        {
            return false;
        }

        var key = keys[draws.Below(keys.Count)];
        var content = (byte[])_pieces[key].Content.Clone();
        content[draws.Below(content.Length)] ^= 1;
        _pieces[key] = _pieces[key] with { Content = content };
        return true;
    }

    /// <summary>A journal, which is empty at first.</summary>
    internal SortedDictionary<long, JournalEntry> Journal(string name)
    {
        if (!_journals.TryGetValue(name, out var journal))
        {
            _journals.Add(name, journal = []);
        }

        return journal;
    }

    /// <summary>The highest number that an event of a journal has had, deleted ones included; 0 for none.</summary>
    internal long Highest(string name) =>
        Math.Max(_deleted.GetValueOrDefault(name), Journal(name) is { Count: > 0 } journal ? journal.Keys.Last() : 0);

    /// <summary>Keeps an event.</summary>
    internal void Append(string name, long number, JournalEntry entry)
    {
        Writes++;
        Journal(name)[number] = entry;
    }

    /// <summary>Deletes the events of a journal up to one.</summary>
    internal void DeleteUpTo(string name, long number)
    {
        Writes++;
        Audit.OnDeleted(name, number);
        _deleted[name] = Highest(name);
        foreach (var old in Journal(name).Keys.TakeWhile(known => known <= number).ToList())
        {
            Journal(name).Remove(old);
        }
    }

    /// <summary>Keeps a piece; one that is there gets the mark.</summary>
    internal void Put(string job, ContentHash hash, long write, byte[] content)
    {
        Writes++;
        if (_pieces.TryGetValue((job, hash), out var known))
        {
            _pieces[(job, hash)] = known with { Write = Math.Max(known.Write, write) };
        }
        else if ((PieceInterceptor is null ? content : PieceInterceptor(content)) is { } kept)
        {
            _pieces[(job, hash)] = new Piece(kept, write);
        }
    }

    /// <summary>A piece; null where there is none.</summary>
    internal byte[]? Get(string job, ContentHash hash) => _pieces.GetValueOrDefault((job, hash))?.Content;

    /// <summary>Removes a piece.</summary>
    internal void Erase(string job, ContentHash hash) => Writes += _pieces.Remove((job, hash)) ? 1 : 0;

    /// <summary>Removes the pieces of a job that nobody needs. Returns how many.</summary>
    internal int Keep(string job, long upToWrite, HashSet<ContentHash> needed)
    {
        var removed = _pieces
            .Where(piece => piece.Key.Job == job && piece.Value.Write <= upToWrite && !needed.Contains(piece.Key.Hash))
            .Select(piece => piece.Key)
            .ToList();
        removed.ForEach(key => _pieces.Remove(key));
        Writes += removed.Count;
        return removed.Count;
    }

    private sealed record Piece(byte[] Content, long Write);
}

/// <summary>An event in a journal, as it was written.</summary>
/// <param name="Manifest">Its kind.</param>
/// <param name="Bytes">Its content.</param>
/// <param name="Payload">The event itself: tells this writing of it from any other.</param>
internal sealed record JournalEntry(string Manifest, byte[] Bytes, object Payload);
