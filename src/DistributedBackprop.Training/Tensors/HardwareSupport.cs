using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistributedBackprop.Training.Tensors;

/// <summary>What of this processor the kernels use. It changes how fast they are, never what they compute.</summary>
public static class HardwareSupport
{
    /// <summary>
    /// Whether the promise of equal bits holds here: x64 with AVX2 and fused multiply-add. A program refuses to train
    /// where it does not.
    /// </summary>
    public static bool IsSupported => Avx2.IsSupported && Fma.IsSupported;

    /// <summary>The instruction set that the kernels run on: "AVX-512", "AVX2", or that neither is there.</summary>
    public static string Describe()
    {
        if (!IsSupported)
        {
            return "neither AVX2 with FMA nor AVX-512";
        }

        return Vector512.IsHardwareAccelerated ? "AVX-512" : "AVX2";
    }
}
