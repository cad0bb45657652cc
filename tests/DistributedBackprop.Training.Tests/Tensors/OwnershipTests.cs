using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Tensors;

/// <summary>The ownership rule of <see cref="Tensor"/>, and that breaking it is noticed.</summary>
public sealed class OwnershipTests
{
    private readonly TensorPool _pool = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(100_000)]
    public unsafe void Memory_is_aligned_with_headroom_before_it(int length)
    {
        using var tensor = Tensor.Rent(_pool, new Shape(length));
        ((nuint)tensor.Pointer % 64).ShouldBe((nuint)0);
        tensor.Floats.Length.ShouldBe(length);
        tensor.BytesWithHeadroom.Length.ShouldBe(64 + (4 * length));
        fixed (byte* withHeadroom = tensor.BytesWithHeadroom.Span)
        {
            ((nuint)withHeadroom + 64).ShouldBe((nuint)tensor.Pointer);
        }
    }

    [Fact]
    public void Memory_goes_back_with_its_last_owner_and_is_lent_again()
    {
        var tensor = Tensor.Rent(_pool, new Shape(3, 5));
        var other = tensor.Share(new Shape(15));
        tensor.IsSole.ShouldBeFalse();
        tensor.Dispose();
        other.IsSole.ShouldBeTrue();
        _pool.Outstanding.ShouldBe(1);
        other.Dispose();
        _pool.Outstanding.ShouldBe(0);
        var allocated = _pool.AllocatedBytes;
        Tensor.Rent(_pool, new Shape(15)).Dispose();
        _pool.AllocatedBytes.ShouldBe(allocated);
    }

    [Fact]
    public void A_tensor_is_not_used_after_it_was_given_up_nor_given_up_twice()
    {
        var tensor = Tensor.Rent(_pool, new Shape(4));
        tensor.Dispose();
        Should.Throw<ObjectDisposedException>(() => tensor.Floats[0] = 1);
        Should.Throw<ObjectDisposedException>(() => tensor.Share());
        Should.Throw<ObjectDisposedException>(tensor.Dispose);
        _pool.Outstanding.ShouldBe(0);
    }

    [Fact]
    public void Writing_what_is_shared_takes_a_copy()
    {
        var tensor = Tensor.RentZeros(_pool, new Shape(4));
        using var other = tensor.Share();
        tensor = tensor.ToSole();
        tensor.Floats.Fill(1);
        other.Floats.ToArray().ShouldBe([0, 0, 0, 0]);
        tensor.ToSole().ShouldBeSameAs(tensor);
        tensor.Dispose();
    }

    [Fact]
    public void Integers_are_no_floats()
    {
        using var labels = Tensor.Rent(_pool, new Shape(4), ElementType.Int32);
        Should.Throw<InvalidOperationException>(() => labels.Floats.Length);
        using var floats = Tensor.Rent(_pool, new Shape(4));
        Should.Throw<InvalidOperationException>(() => floats.Integers.Length);
    }

#if DEBUG
    [Fact]
    public void A_tensor_that_nobody_gave_up_is_counted()
    {
        Lose();
        for (var i = 0; i < 10 && _pool.Leaked == 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        _pool.Leaked.ShouldBe(1);

        // In a method of its own, so that no register still holds it.
        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        void Lose() => _ = Tensor.Rent(_pool, new Shape(4));
    }

    [Fact]
    public void What_comes_back_is_poisoned()
    {
        var tensor = Tensor.RentZeros(_pool, new Shape(64));
        tensor.Dispose();
        using var again = Tensor.Rent(_pool, new Shape(64));
        again.Floats.ToArray().ShouldAllBe(value => float.IsNaN(value));
    }
#endif
}
