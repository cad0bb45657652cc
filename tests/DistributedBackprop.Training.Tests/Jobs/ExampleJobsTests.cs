using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Jobs;

public class ExampleJobsTests
{
    public static TheoryData<string> Names => ExampleJobs.Names;

    [Fact]
    public void There_are_the_five_that_the_documentation_names() =>
        ExampleJobs.Paths.Select(path => Path.GetFileName(path))
            .ShouldBe(["digits.yaml", "mnist10k.yaml", "residual.yaml", "spirals.yaml", "xor.yaml"]);

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_is_read_and_called_as_its_file(string name)
    {
        var result = JobFile.Parse(name, ExampleJobs.TextOf(name));

        result.Errors.ShouldBeEmpty();
        result.Job!.Name.ShouldBe(Path.GetFileNameWithoutExtension(name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_canonical_form_of_each_is_a_job_file_of_an_equal_job(string name)
    {
        var job = JobFile.Parse(name, ExampleJobs.TextOf(name)).Job!;

        var again = JobFile.Parse("canonical", CanonicalForm.Of(job));

        again.Errors.ShouldBeEmpty();
        again.Job.ShouldBe(job);
        CanonicalForm.Digest(again.Job!).ShouldBe(CanonicalForm.Digest(job));
    }
}
