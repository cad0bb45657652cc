using System.Globalization;
using DistributedBackprop.Benchmarks;

switch (args)
{
    case ["peers"]:
        MatrixBenchmark.Run(Console.Out);
        await TrainingBenchmark.RunAsync(Console.Out);
        await ActorBenchmark.RunAsync(Console.Out);
        return 0;
    case ["matrix"]:
        MatrixBenchmark.Run(Console.Out);
        return 0;
    case ["training"]:
        await TrainingBenchmark.RunAsync(Console.Out);
        await ActorBenchmark.RunAsync(Console.Out);
        return 0;
    case ["actors"]:
        await ActorBenchmark.RunAsync(Console.Out);
        return 0;
    case ["plane"]:
        PlaneBenchmark.Run(Console.Out);
        return 0;
    case ["killed"]:
        BrokenLinkBenchmark.Run(Console.Out);
        LostPeerBenchmark.Run(Console.Out);
        return 0;
    case ["plane-peer"]:
        BrokenLinkBenchmark.Listen(Console.In, Console.Out);
        return 0;
    case ["plane-sender", var port, var generation]:
        LostPeerBenchmark.Send(
            int.Parse(port, CultureInfo.InvariantCulture), long.Parse(generation, CultureInfo.InvariantCulture));
        return 0;
    case ["gloo"]:
        await GlooBenchmark.RunAsync(Console.Out);
        return 0;
    case ["cluster"]:
        await ClusterBenchmark.RunAsync(Console.Out);
        return 0;
    case ["scaling"]:
        await ScalingBenchmark.RunAsync(Console.Out);
        return 0;
    case ["recovery"]:
        await RecoveryBenchmark.RunAsync(Console.Out, kills: 50);
        return 0;
    case ["recovery", var kills]:
        await RecoveryBenchmark.RunAsync(Console.Out, int.Parse(kills, CultureInfo.InvariantCulture));
        return 0;
    case ["recovery", var kills, var program]:
        await RecoveryBenchmark.RunAsync(Console.Out, int.Parse(kills, CultureInfo.InvariantCulture), program);
        return 0;
    case ["checkpoint-cost"]:
        await CheckpointCostBenchmark.RunAsync(Console.Out);
        return 0;
    case ["averaging", var dataRoot]:
        await LocalSgdBenchmark.RunAsync(Console.Out, dataRoot);
        return 0;
    case ["load"]:
        return await new LoadBenchmark(Console.Out, nodes: 2).RunAsync(minutes: 5) ? 0 : 1;
    case ["load", var minutes, var nodes]:
        return await new LoadBenchmark(Console.Out, int.Parse(nodes, CultureInfo.InvariantCulture))
            .RunAsync(double.Parse(minutes, CultureInfo.InvariantCulture)) ? 0 : 1;
    case ["checkpoints", .. var connection]:
        await CheckpointBenchmark.RunAsync(Console.Out, connection);
        return 0;
    case ["simulation"]:
        SimulationBenchmark.Run(Console.Out);
        return 0;
    case ["profile"]:
        StepProfile.Run(Console.Out);
        return 0;
    default:
        Console.Error.WriteLine(
            """
            usage: peers      all comparisons: matrix, then training
                   matrix     matrix products beside OpenBLAS's
                   training   training beside PyTorch's, then actors
                   actors     actors beside a plain loop; bytes allocated for each step
                   plane      the tensor plane beside a plain loopback socket
                   killed     how soon a killed peer is known at either end of a link
                   gloo       the peers over two processes: gloo's all-reduce, DistributedDataParallel
                   cluster    two processes beside DistributedDataParallel and gloo; control messages under load
                   scaling    two processes beside one, and beside what two cores can do
                   averaging DATA   bytes and accuracy of parameter averaging beside gradient averaging, on MNIST files
                   recovery [KILLS [PROGRAM]]   a worker killed again and again (50 times): how soon the job goes on, and how
                              much it gets done; PROGRAM: a published backprop.dll
                   checkpoint-cost   training with checkpoints every 100 steps beside without
                   load [MINUTES NODES]   processes that train flat out (5 minutes, 2 of them): none may seem dead to another
                   checkpoints [CONNECTION]   200 MB of state written and read: SQLite, and PostgreSQL if one is named
                   simulation   what a message costs where a large cluster is simulated, on 1 to 16 nodes
                   profile    where the time of a step goes
            """);
        return 2;
}
