namespace DistributedBackprop.Cli.Tests.Running;

/// <summary>What every failed command has in common.</summary>
internal static class FailureAssertions
{
    /// <summary>The code is right, the words are there, and nobody is shown a stack trace.</summary>
    public static void ShouldEndWith(this Finished run, int exitCode, params IEnumerable<string> words)
    {
        run.ShouldShowNoStackTrace();
        run.ExitCode.ShouldBe(exitCode, run.Errors);
        if (exitCode is 2 or 3)
        {
            run.Output.ShouldBeEmpty("nothing has run, so there is no result");
        }

        foreach (var text in words)
        {
            run.Errors.ShouldContain(text);
        }
    }

    public static void ShouldShowNoStackTrace(this Finished run)
    {
        (run.Output + run.Errors).ShouldNotContain("   at ", Case.Sensitive);
        run.Errors.ShouldNotContain("Unhandled exception");
    }
}
