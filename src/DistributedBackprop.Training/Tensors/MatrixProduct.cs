namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// The three products of a dense layer with weight <c>[n, k]</c> (out, in) on a batch of m rows. Each output element is
/// one chain of fused multiply-adds in ascending order, from +0 or from the old value; whatever blocks, vectors, packing
/// or threads are chosen, the bits are the same. (Only the payload of a NaN is unspecified where different NaNs meet.)
/// Matrices are row-major without gaps and start at a multiple of 64 bytes; every dimension may be 0; outputs overlap
/// no input; nothing outside of the matrices is read or written.
/// </summary>
public static unsafe class MatrixProduct
{
    // Above this many rows the packing of one product would be done more than once: then it is done before, for all.
    private const int RowsThatSharePacking = 512;

    /// <summary>How many floats the packed form of a weight takes.</summary>
    /// <param name="n">Outputs, ≥ 0.</param>
    /// <param name="k">Inputs, ≥ 0.</param>
    /// <exception cref="OverflowException">There would be more than 2³¹−1.</exception>
    public static int PackedLength(int n, int k)
    {
        Check(0, n, k);
        return checked((n + 15) / 16 * 16 * k);
    }

    /// <summary>Packs a weight for <see cref="Forward(ITiles, float*, float*, float*, bool, float*, int, int, int)"/>.</summary>
    /// <param name="weight"><c>[n, k]</c>.</param>
    /// <param name="n">Outputs, ≥ 0.</param>
    /// <param name="k">Inputs, ≥ 0.</param>
    /// <param name="packed"><see cref="PackedLength"/> floats, at a multiple of 64 bytes.</param>
    /// <param name="tiles">Runs the work.</param>
    public static void Pack(float* weight, int n, int k, float* packed, ITiles tiles)
    {
        Check(0, n, k);
        ArgumentNullException.ThrowIfNull(tiles);
        new PackingWork { Weight = weight, Rows = n, Depth = k, Packed = packed }.Run(tiles);
    }

    /// <summary><c>y = x·Wᵀ</c>, then the bias, then relu (<c>y ≤ 0 ? +0 : y</c>).</summary>
    /// <param name="tiles">Runs the work.</param>
    /// <param name="x"><c>[m, k]</c>.</param>
    /// <param name="packed">The weight, packed.</param>
    /// <param name="bias"><c>[n]</c> or null for none.</param>
    /// <param name="relu">Whether to apply relu.</param>
    /// <param name="y"><c>[m, n]</c>.</param>
    /// <param name="m">Rows, ≥ 0.</param>
    /// <param name="n">Outputs, ≥ 0.</param>
    /// <param name="k">Inputs, ≥ 0.</param>
    public static void Forward(
        ITiles tiles, float* x, float* packed, float* bias, bool relu, float* y, int m, int n, int k) =>
        Forward(TileKernel.Widest, tiles, x, packed, RightSide.Packed, bias, relu, y, m, n, k);

    /// <summary>
    /// As <see cref="Forward(ITiles, float*, float*, float*, bool, float*, int, int, int)"/>, with the weight as it is: for
    /// a weight that is used only once or twice.
    /// </summary>
    /// <param name="pool">Lends memory where the weight is packed as a whole.</param>
    /// <param name="tiles">Runs the work.</param>
    /// <param name="x"><c>[m, k]</c>.</param>
    /// <param name="weight"><c>[n, k]</c>.</param>
    /// <param name="bias"><c>[n]</c> or null for none.</param>
    /// <param name="relu">Whether to apply relu.</param>
    /// <param name="y"><c>[m, n]</c>.</param>
    /// <param name="m">Rows, ≥ 0.</param>
    /// <param name="n">Outputs, ≥ 0.</param>
    /// <param name="k">Inputs, ≥ 0.</param>
    public static void ForwardUnpacked(
        TensorPool pool, ITiles tiles, float* x, float* weight, float* bias, bool relu, float* y, int m, int n, int k)
    {
        Check(m, n, k);
        ArgumentNullException.ThrowIfNull(pool);
        if (m <= RowsThatSharePacking)
        {
            Forward(TileKernel.Widest, tiles, x, weight, RightSide.Transposed, bias, relu, y, m, n, k);
            return;
        }

        using var packed = Tensor.Rent(pool, new Shape(PackedLength(n, k)));
        Pack(weight, n, k, packed.Pointer, tiles);
        Forward(tiles, x, packed.Pointer, bias, relu, y, m, n, k);
    }

    /// <summary><c>dx = delta·W</c>, chains over the outputs.</summary>
    /// <param name="tiles">Runs the work.</param>
    /// <param name="delta">∂loss/∂(output before the activation), <c>[m, n]</c>.</param>
    /// <param name="weight"><c>[n, k]</c>.</param>
    /// <param name="dx"><c>[m, k]</c>.</param>
    /// <param name="m">Rows, ≥ 0.</param>
    /// <param name="n">Outputs, ≥ 0.</param>
    /// <param name="k">Inputs, ≥ 0.</param>
    public static void InputDelta(ITiles tiles, float* delta, float* weight, float* dx, int m, int n, int k) =>
        InputDelta(TileKernel.Widest, tiles, delta, weight, dx, m, n, k);

    /// <summary>
    /// <c>dw = deltaᵀ·x</c> and <c>db = Σ delta</c>, chains over the rows; or, to continue, <c>dw += …</c>, <c>db += …</c>
    /// with the chains going on from the old values.
    /// </summary>
    /// <param name="tiles">Runs the work.</param>
    /// <param name="delta">∂loss/∂(output before the activation), <c>[m, n]</c>.</param>
    /// <param name="x"><c>[m, k]</c>.</param>
    /// <param name="dw"><c>[n, k]</c>.</param>
    /// <param name="db"><c>[n]</c>, or null where there is no bias.</param>
    /// <param name="continues">False: start at +0, whatever was there.</param>
    /// <param name="m">Rows, ≥ 0. Without any, what starts is +0 and what continues is untouched.</param>
    /// <param name="n">Outputs, ≥ 0.</param>
    /// <param name="k">Inputs, ≥ 0.</param>
    public static void WeightGradient(
        ITiles tiles, float* delta, float* x, float* dw, float* db, bool continues, int m, int n, int k) =>
        WeightGradient(TileKernel.Widest, tiles, delta, x, dw, db, continues, m, n, k);

    internal static void Forward(
        VectorWidth vectors, ITiles tiles, float* x, float* right, RightSide side, float* bias, bool relu, float* y,
        int m, int n, int k)
    {
        Check(m, n, k);
        ArgumentNullException.ThrowIfNull(tiles);
        new ProductWork
        {
            Vectors = vectors,
            A = x,
            AStride = k,
            ARowMajor = true,
            B = right,
            BStride = k,
            BSide = side,
            C = y,
            Rows = m,
            Columns = n,
            Depth = k,
            Relu = relu,
            Bias = bias,
        }.Run(tiles);
    }

    internal static void InputDelta(
        VectorWidth vectors, ITiles tiles, float* delta, float* weight, float* dx, int m, int n, int k)
    {
        Check(m, n, k);
        ArgumentNullException.ThrowIfNull(tiles);
        new ProductWork
        {
            Vectors = vectors,
            A = delta,
            AStride = n,
            ARowMajor = true,
            B = weight,
            BStride = k,
            BSide = RightSide.Rows,
            C = dx,
            Rows = m,
            Columns = k,
            Depth = n,
        }.Run(tiles);
    }

    internal static void WeightGradient(
        VectorWidth vectors, ITiles tiles, float* delta, float* x, float* dw, float* db, bool continues,
        int m, int n, int k)
    {
        Check(m, n, k);
        ArgumentNullException.ThrowIfNull(tiles);
        new ProductWork
        {
            Vectors = vectors,
            A = delta,
            AStride = n,
            ARowMajor = false,
            B = x,
            BStride = k,
            BSide = RightSide.Rows,
            C = dw,
            Rows = n,
            Columns = k,
            Depth = m,
            Continues = continues,
            RowSums = db,
        }.Run(tiles);
    }

    private static void Check(int m, int n, int k)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(m);
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfNegative(k);
    }
}
