using DistributedBackprop.Benchmarks;

switch (args)
{
    case ["peers"]:
        MatrixBenchmark.Run(Console.Out);
        return 0;
    default:
        Console.Error.WriteLine("usage: peers (matrix products beside OpenBLAS's)");
        return 2;
}
