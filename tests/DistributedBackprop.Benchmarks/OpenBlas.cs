using System.Runtime.InteropServices;

namespace DistributedBackprop.Benchmarks;

/// <summary>Debian's OpenBLAS, as a peer to measure against; never part of the product.</summary>
internal static unsafe class OpenBlas
{
    private const int RowMajor = 101;
    private const int NotTransposed = 111;
    private const int Transposed = 112;

    private static readonly string[] _names =
        ["libopenblas.so.0", "/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.so.0"];

    private static readonly string[] _holds =
        ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_VERBOSE", "OPENBLAS_BLOCK_FACTOR"];

    private static delegate* unmanaged[Cdecl]<
        int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> _sgemm;

    /// <summary>
    /// Loads it, on one thread, free to choose the kernels that it finds best: variables that hold it to others (as
    /// build machines set them, to get the same numbers everywhere) would flatter us.
    /// </summary>
    /// <returns>Its name and kernel, or null where it is not installed.</returns>
    public static string? Load()
    {
        // Environment.SetEnvironmentVariable would not reach native code.
        Array.ForEach(_holds, variable => _ = Unset(variable));
        nint library = 0;
        if (!Array.Exists(_names, name => NativeLibrary.TryLoad(name, out library)))
        {
            return null;
        }

        _sgemm = (delegate* unmanaged[Cdecl]<
            int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)NativeLibrary.GetExport(library, "cblas_sgemm");
        ((delegate* unmanaged[Cdecl]<int, void>)NativeLibrary.GetExport(library, "openblas_set_num_threads"))(1);
        var config = (delegate* unmanaged[Cdecl]<byte*>)NativeLibrary.GetExport(library, "openblas_get_config");
        var kernel = (delegate* unmanaged[Cdecl]<byte*>)NativeLibrary.GetExport(library, "openblas_get_corename");
        return $"{Marshal.PtrToStringUTF8((nint)config())}, kernels {Marshal.PtrToStringUTF8((nint)kernel())}";
    }

    /// <summary>y [m, n] = x [m, k] · Wᵀ, W [n, k].</summary>
    public static void Forward(float* x, float* weight, float* y, int m, int n, int k) =>
        _sgemm(RowMajor, NotTransposed, Transposed, m, n, k, 1, x, k, weight, k, 0, y, n);

    /// <summary>dx [m, k] = delta [m, n] · W.</summary>
    public static void InputDelta(float* delta, float* weight, float* dx, int m, int n, int k) =>
        _sgemm(RowMajor, NotTransposed, NotTransposed, m, k, n, 1, delta, n, weight, k, 0, dx, k);

    /// <summary>dw [n, k] = deltaᵀ · x.</summary>
    public static void WeightGradient(float* delta, float* x, float* dw, int m, int n, int k) =>
        _sgemm(RowMajor, Transposed, NotTransposed, n, k, m, 1, delta, n, x, k, 0, dw, k);

    [DllImport("libc", EntryPoint = "unsetenv", BestFitMapping = false)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Unset([MarshalAs(UnmanagedType.LPUTF8Str)] string variable);
}
