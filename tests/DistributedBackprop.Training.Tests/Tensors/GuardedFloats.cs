using System.Runtime.InteropServices;

namespace DistributedBackprop.Training.Tests.Tensors;

/// <summary>Floats at a multiple of 64 bytes between two fences: whoever writes outside is found out.</summary>
internal sealed unsafe class GuardedFloats : IDisposable
{
    private const int Fence = 64;
    private const float Post = 12345.678f;
    private readonly float* _memory;
    private readonly int _length;

    public GuardedFloats(ReadOnlySpan<float> values)
    {
        _length = values.Length;
        _memory = (float*)NativeMemory.AlignedAlloc((nuint)(_length + (2 * Fence)) * sizeof(float), 64);
        new Span<float>(_memory, _length + (2 * Fence)).Fill(Post);
        values.CopyTo(new Span<float>(Pointer, _length));
    }

    public float* Pointer => _memory + Fence;

    public ReadOnlySpan<float> Values => new(Pointer, _length);

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    public void ShouldBe(float[] expected, string what)
    {
        expected.Length.ShouldBe(_length);
        for (var i = 0; i < Fence; i++)
        {
            _memory[i].ShouldBe(Post, $"{what}: written before the start");
            _memory[Fence + _length + i].ShouldBe(Post, $"{what}: written behind the end, at {_length + i}");
        }

        for (var i = 0; i < _length; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(Pointer[i]);
            if (bits != BitConverter.SingleToUInt32Bits(expected[i]))
            {
                throw new ShouldAssertException($"{what}: element {i} is {Pointer[i]:R} and not {expected[i]:R}");
            }
        }
    }
}
