using Akka.Actor;
using Akka.TestKit.Xunit2;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Tests;

/// <summary>What is told to somebody who is gone is given up.</summary>
public sealed class LostTensorsTests : TestKit
{
    [Fact]
    public async Task A_tensor_that_nobody_gets_any_more_goes_back_to_its_pool()
    {
        LostTensors.AreGivenUpIn(Sys);
        LostTensors.AreGivenUpIn(Sys);
        var pool = new TensorPool();
        var gone = CreateTestProbe();
        await gone.Ref.GracefulStop(TimeSpan.FromSeconds(10));
        gone.Ref.Tell(new StatePart(1, 2, new StateVector(0, 0, 0), 0, Tensor.Rent(pool, new Shape(3))));
        await AwaitConditionAsync(() => Task.FromResult(pool.Outstanding == 0), TimeSpan.FromSeconds(10));
    }
}
