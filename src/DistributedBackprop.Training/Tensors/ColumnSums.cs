using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

/// <summary>Sums over the rows of a matrix, one chain of additions for each column: the gradient of a bias.</summary>
internal static unsafe class ColumnSums
{
    /// <summary>Sums columns <paramref name="first"/> … <paramref name="last"/>−1, rows ascending.</summary>
    /// <param name="matrix">Its element [0, 0].</param>
    /// <param name="stride">Floats from one row to the next.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="first">The first column.</param>
    /// <param name="last">The column after the last.</param>
    /// <param name="sums">One for each column of the matrix.</param>
    /// <param name="continues">Whether the chains go on from what is there instead of starting at +0.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* matrix, nint stride, int rows, int first, int last, float* sums, bool continues)
    {
        var column = first;
        for (; column + 32 <= last; column += 32)
        {
            Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
            if (continues)
            {
                s0 = Vector256.Load(sums + column);
                s1 = Vector256.Load(sums + column + 8);
                s2 = Vector256.Load(sums + column + 16);
                s3 = Vector256.Load(sums + column + 24);
            }

            var at = matrix + column;
            for (var row = 0; row < rows; row++, at += stride)
            {
                s0 += Vector256.Load(at);
                s1 += Vector256.Load(at + 8);
                s2 += Vector256.Load(at + 16);
                s3 += Vector256.Load(at + 24);
            }

            s0.Store(sums + column);
            s1.Store(sums + column + 8);
            s2.Store(sums + column + 16);
            s3.Store(sums + column + 24);
        }

        for (; column < last; column++)
        {
            var sum = continues ? sums[column] : 0;
            var at = matrix + column;
            for (var row = 0; row < rows; row++, at += stride)
            {
                sum += *at;
            }

            sums[column] = sum;
        }
    }
}
