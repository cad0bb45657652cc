namespace DistributedBackprop.Training.Jobs;

/// <summary>Work per thread as an exact fraction, so that an even placement is recognised as even.</summary>
/// <param name="Work">Units of work, 0 … 2^102.</param>
/// <param name="Threads">Over so many threads, 1 … 2^32.</param>
internal readonly record struct Load(Int128 Work, long Threads) : IComparable<Load>
{
    /// <inheritdoc/>
    // Int128 holds the products of what nodes have (2^63 units, 2^31 threads); only those are compared.
    public int CompareTo(Load other) => (Work * other.Threads).CompareTo(other.Work * Threads);

    /// <summary>Whether it is lower than another by more than so many in <paramref name="of"/> of the other.</summary>
    public bool IsLowerByMoreThanOneIn(int of, Load other) => Work * other.Threads * of < other.Work * Threads * (of - 1);

    /// <summary>The work that so many threads may have within this load, at most <paramref name="most"/>.</summary>
    public long Allows(int threads, long most) => (long)Int128.Min(Work * threads / Threads, most);

    public static bool operator <(Load left, Load right) => left.CompareTo(right) < 0;

    public static bool operator >(Load left, Load right) => left.CompareTo(right) > 0;

    public static bool operator <=(Load left, Load right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Load left, Load right) => left.CompareTo(right) >= 0;
}
