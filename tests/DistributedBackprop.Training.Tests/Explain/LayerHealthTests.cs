using System.Collections.Immutable;
using DistributedBackprop.Training.Explain;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Explain;

/// <summary>Layers that learn nothing are found, and told apart from those that do.</summary>
public sealed class LayerHealthTests
{
    [Fact]
    public void Many_sigmoids_starve_the_first_layers()
    {
        var health = HealthOf(string.Concat(Enumerable.Repeat("    - dense: { units: 16, activation: sigmoid }\n", 9)));
        health[0].Verdict.ShouldBe(HealthVerdict.Starves);
        health[^1].Verdict.ShouldBe(HealthVerdict.Fed);
        health[0].DeltaSize.ShouldBeLessThan(health[^1].DeltaSize / LayerHealth.Far);
    }

    [Fact]
    public void Large_weights_flood_the_first_layers() =>
        HealthOf(string.Concat(Enumerable.Repeat("    - dense: { units: 32, initializer: { normal: { std: 2 } } }\n", 4)))[0]
            .Verdict.ShouldBe(HealthVerdict.Explodes);

    [Fact]
    public void Units_that_are_off_for_every_example_are_dead()
    {
        // Sixteen random features are negative together for both examples, or for none: half of the copies are dead.
        var health = HealthOf("    - dense: { units: 16, initializer: heNormal }\n    - relu\n");
        var dead = health[1].Dead.ShouldNotBeNull();
        dead.ShouldBeInRange(0.05, 0.95);
        health[0].Dead.ShouldBeNull();
        health[1].Saturated.ShouldBeNull();
    }

    [Fact]
    public void Great_arguments_saturate()
    {
        var health = HealthOf("    - dense: { units: 32, activation: tanh, initializer: { normal: { std: 30 } } }\n");
        health[0].Saturated.ShouldNotBeNull().ShouldBeGreaterThan(0.5);
        HealthOf("    - dense: { units: 32, activation: tanh }\n")[0].Saturated.ShouldBe(0);
    }

    [Fact]
    public void Without_a_mean_the_size_of_a_delta_does_not_depend_on_the_number_of_examples()
    {
        var job = ExplanationTests.XorJob(4);
        var one = LayerHealth.Of(PassByLoop.Record(job, [[0.2f, 0.9f]], [1]));
        var same = LayerHealth.Of(PassByLoop.Record(job, [[0.2f, 0.9f], [0.2f, 0.9f], [0.2f, 0.9f], [0.2f, 0.9f]], [1, 1, 1, 1]));
        same.Select(health => health.DeltaSize).ShouldBe(one.Select(health => health.DeltaSize));
    }

    private static ImmutableArray<LayerHealth> HealthOf(string layers)
    {
        var job = JobFile.Parse("job.yaml", $$"""
            name: health
            data: { format: xor, train: { examples: 4 } }
            model:
              input: [2]
              layers:
            {{layers}}    - dense: { units: 1 }
            loss: binaryCrossEntropy
            optimizer: { sgd: { learningRate: 0.1 } }
            training: { batchSize: 1, epochs: 1 }
            """);
        job.Errors.ShouldBeEmpty();
        return LayerHealth.Of(PassByLoop.Record(job.Job!, [[1, 0.3f], [0.8f, 0.4f]], [1, 0]));
    }
}
