using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>Names one vector of the state of a job: what its future depends on, apart from the job itself.</summary>
/// <param name="Layer">The layer's place in graph order.</param>
/// <param name="Replica">Whose it is; 0 where all replicas share it.</param>
/// <param name="Slot">Which of the layer's vectors (<see cref="StateSlot"/>).</param>
public readonly record struct StateVector(int Layer, int Replica, int Slot);

/// <summary>The vectors of a layer's state.</summary>
public static class StateSlot
{
    /// <summary>The parameters; with parameter averaging those of the newest round. Shared by all replicas.</summary>
    public const int Parameters = 0;

    /// <summary>The outer optimizer's momentum. Shared by all replicas; with parameter averaging only.</summary>
    public const int OuterMomentum = 1;

    /// <summary>A replica's own parameters; with parameter averaging only.</summary>
    public const int OwnParameters = 2;

    /// <summary>A replica's counts (<see cref="ReplicaCounts"/>), int32; with parameter averaging only.</summary>
    public const int Counts = 3;

    /// <summary>The first of the optimizer's vectors; shared with gradient averaging, else each replica's own.</summary>
    public const int Optimizer = 4;
}

/// <summary>What a replica that averages parameters counts.</summary>
/// <param name="Examples">Examples since the last round.</param>
/// <param name="Updates">Updates so far: the optimizer's step.</param>
/// <param name="LastRound">The step after which the last round was.</param>
public readonly record struct ReplicaCounts(long Examples, long Updates, long LastRound)
{
    /// <summary>Elements of the vector that holds them: three numbers of 64 bits, low halves first.</summary>
    public const int Length = 6;

    /// <summary>Writes them down.</summary>
    public Tensor ToTensor(TensorPool pool)
    {
        var tensor = Tensor.Rent(pool, new Shape(Length), ElementType.Int32);
        ReadOnlySpan<long> counts = [Examples, Updates, LastRound];
        for (var i = 0; i < counts.Length; i++)
        {
            tensor.Integers[2 * i] = unchecked((int)counts[i]);
            tensor.Integers[(2 * i) + 1] = (int)(counts[i] >> 32);
        }

        return tensor;
    }

    /// <summary>Reads them.</summary>
    /// <exception cref="ArgumentException">A count is negative.</exception>
    public static ReplicaCounts Read(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var numbers = tensor.Integers;
        var counts = new ReplicaCounts(At(numbers, 0), At(numbers, 1), At(numbers, 2));
        return (counts.Examples | counts.Updates | counts.LastRound) >= 0
            ? counts
            : throw new ArgumentException($"Counts are at least 0 (were {counts}).", nameof(tensor));
    }

    private static long At(ReadOnlySpan<int> numbers, int index) =>
        (uint)numbers[2 * index] | ((long)numbers[(2 * index) + 1] << 32);
}
