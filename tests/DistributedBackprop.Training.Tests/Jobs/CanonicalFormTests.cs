using System.Globalization;
using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Jobs;

public class CanonicalFormTests
{
    [Fact]
    public void It_is_a_job_file_of_an_equal_job() => RandomJobs.Any.Sample(
        job =>
        {
            var form = CanonicalForm.Of(job);

            var again = JobFile.Parse("canonical", form);

            again.Errors.ShouldBeEmpty(form);
            again.Job.ShouldBe(job);
            CanonicalForm.Of(again.Job!).ShouldBe(form);
        },
        iter: 3_000);

    [Fact]
    public void Jobs_are_equal_exactly_when_their_forms_are() => Gen.Select(RandomJobs.Any, RandomJobs.Any).Sample(
        (one, other) =>
        {
            // Two random jobs hardly ever agree by chance, so some of their parts are exchanged.
            var mixed = one with { Optimizer = other.Optimizer, Parallelism = one.Parallelism with { Schedule = other.Parallelism.Schedule } };

            (CanonicalForm.Of(one) == CanonicalForm.Of(mixed)).ShouldBe(one == mixed);
            (CanonicalForm.Digest(one) == CanonicalForm.Digest(other)).ShouldBe(one == other);
        },
        iter: 2_000);

    [Fact]
    public void It_does_not_depend_on_the_culture()
    {
        var job = JobFile.Parse("job.yaml", ContractJob.Text).Job!;
        var before = CanonicalForm.Of(job);
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE") { NumberFormat = { NegativeSign = "−" } };

            JobFile.Parse("job.yaml", ContractJob.Text).Job.ShouldBe(job);
            CanonicalForm.Of(job).ShouldBe(before);
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    // A change here changes the identity of every job: checkpoints of jobs under way are then no longer found.
    [Fact]
    public void It_is_what_it_was()
    {
        var job = JobFile.Parse("xor.yaml", ExampleJobs.TextOf("xor.yaml")).Job!;

        CanonicalForm.Of(job).ShouldBe(
            """{"name":"xor","seed":1,"data":{"format":"xor","train":{"examples":400},"test":{"examples":200},"noise":0.1,"scale":1,"shuffle":true},"""
            + """ "model":{"input":[2],"layers":[{"dense":{"units":8,"activation":"tanh","bias":true,"initializer":"default"},"name":"dense1","inputs":["input"],"learningRateFactor":1},"""[1..]
            + """{"dense":{"units":1,"bias":true,"initializer":"default"},"name":"dense2","inputs":["dense1"],"learningRateFactor":1}]},"loss":"binaryCrossEntropy","""
            + """ "optimizer":{"sgd":{"learningRate":{"constant":{"value":0.5,"warmupSteps":0}},"momentum":0.9,"nesterov":false,"weightDecay":0}},"""[1..]
            + """ "training":{"batchSize":32,"microBatches":1,"epochs":30,"stopWhen":{}},"parallelism":{"replicas":1,"stages":1,"schedule":"1f1b","averaging":"gradients"},"""[1..]
            + """ "checkpoints":{"keep":2}}"""[1..]);
        CanonicalForm.Digest(job).ShouldBe("7496914b809396e6dac2f5efbc3753525c1f2059cf01fc27738c512bca241670");
    }
}
