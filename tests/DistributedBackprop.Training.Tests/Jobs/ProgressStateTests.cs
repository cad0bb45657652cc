using System.Reflection;
using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>A job that goes on from a state that was written down goes on as if nothing had been.</summary>
public class ProgressStateTests
{
    // What does not change, and what comes again: reports on steps that are not complete.
    private static readonly string[] _notState = ["_job", "_plan", "_loss", "_testExamples", "_steps", "_evaluation", "_remembered"];

    private static readonly PropertyInfo[] _properties =
        [.. typeof(ProgressState).GetProperties(BindingFlags.Public | BindingFlags.Instance)];

    [Fact]
    public void From_the_state_exactly_after_any_step_the_job_goes_on_the_same_whatever_had_come_in_since() =>
        Gen.Select(ProgressCourse.Any, Gen.ULong, Gen.Int[1, 6]).Sample(
            (course, order, every) =>
            {
                var taken = new List<(ProgressState State, int LogLength)>();
                var log = new List<string>();
                var progress = course.New(every);
                var seen = 0L;
                course.Drive(progress, order, log, between: () =>
                {
                    // Asked for only after later steps are in, as far as the grant goes.
                    if ((order = ProgressCourse.Mixed(order)) % 4 != 0)
                    {
                        return;
                    }

                    for (; seen + every <= progress.Step; seen += every)
                    {
                        var state = progress.StateAt(seen + every).ShouldNotBeNull();
                        state.Step.ShouldBe(seen + every);
                        taken.Add((state, log.FindIndex(line => line.StartsWith($"step {state.Step} ", StringComparison.Ordinal)) + 1));
                    }

                    progress.ForgetStates(seen);
                    progress.StateAt(seen).ShouldBeNull();
                });
                foreach (var (state, length) in taken)
                {
                    ShouldGoOn(course, state, order + 1, log[length..]);
                }
            },
            iter: 400);

    [Fact]
    public void From_the_state_at_any_moment_the_job_goes_on_the_same() =>
        Gen.Select(ProgressCourse.Any, Gen.ULong).Sample(
            (course, order) =>
            {
                var (log, moments) = MomentsOf(course, order);
                foreach (var (state, length) in moments)
                {
                    ShouldGoOn(course, state, order + 1, log[length..]);
                }
            },
            iter: 200);

    [Fact]
    public void All_that_changes_in_a_job_is_in_its_state()
    {
        var fields = typeof(JobProgress).GetFields(BindingFlags.NonPublic | BindingFlags.Instance)
            .Select(field => field.Name)
            .Except(_notState)
            .Select(name => name[0] == '<' ? name[1..name.IndexOf('>', StringComparison.Ordinal)] : char.ToUpperInvariant(name[1]) + name[2..]);
        fields.ShouldBe(_properties.Select(property => property.Name), ignoreOrder: true);
    }

    public static TheoryData<string> Numbers() => [.. _properties.Select(property => property.Name)];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Whoever_forgets_one_of_them_goes_on_another_way(string name)
    {
        var forgotten = false;
        var courses = Gen.Select(ProgressCourse.Any, Gen.ULong).Array[150];
        courses.Sample(
            cases =>
            {
                foreach (var (course, order) in cases)
                {
                    var (log, moments) = MomentsOf(course, order);
                    forgotten |= moments.Any(moment => IsAnotherWithout(name, course, moment.State, log[moment.LogLength..]));
                }
            },
            iter: 1);
        forgotten.ShouldBeTrue();
    }

    [Fact]
    public void Only_the_newest_states_are_kept_where_nobody_asks()
    {
        var course = ProgressCourse.Plain;
        var states = new RememberedStates(every: 2);
        var longer = course with { Job = course.Job with { Training = course.Job.Training with { Steps = 10_000, Epochs = null, StopWhen = new StopRule() } } };
        var progress = longer.New();
        longer.Drive(progress, 1, [], between: () => states.OnStep(progress));
        states.At(10_000).ShouldNotBeNull();
        states.At(10_000 - (2 * (RememberedStates.Most - 1))).ShouldNotBeNull();
        states.At(10_000 - (2 * RememberedStates.Most)).ShouldBeNull();
        states.At(9_999).ShouldBeNull();
    }

    [Fact]
    public void A_state_of_another_job_is_refused()
    {
        var course = ProgressCourse.Plain;
        Should.Throw<ArgumentException>(() => course.From(ProgressState.Beginning with { Step = 1_000_000 }))
            .Message.ShouldStartWith("This job of ");
        Should.Throw<ArgumentException>(() => course.From(ProgressState.Beginning with { IsAtBoundary = true }));
    }

    [Fact]
    public void A_report_on_a_step_that_is_complete_changes_nothing()
    {
        var course = ProgressCourse.Plain;
        var progress = course.New();
        course.Drive(progress, 1, []);
        var state = progress.State;
        for (var replica = 0; replica < course.Job.Parallelism.Replicas; replica++)
        {
            progress.OnStepJudged(1, replica, 99, 9).ShouldBeEmpty();
        }

        progress.State.ShouldBe(state);
    }

    private static (List<string> Log, List<(ProgressState State, int LogLength)> Moments) MomentsOf(ProgressCourse course, ulong order)
    {
        var log = new List<string>();
        var moments = new List<(ProgressState, int)>();
        var progress = course.New();
        course.Drive(progress, order, log, between: () => moments.Add((progress.State, log.Count)));
        moments.Add((progress.State, log.Count - 1));
        return (log, [.. moments.Distinct()]);
    }

    private static void ShouldGoOn(ProgressCourse course, ProgressState state, ulong order, List<string> expected)
    {
        var log = new List<string>();
        course.Drive(course.From(state), order, log);
        log.ShouldBe(expected, $"from {state}");
    }

    private static bool IsAnotherWithout(string name, ProgressCourse course, ProgressState state, List<string> expected)
    {
        var without = state with { };
        var property = typeof(ProgressState).GetProperty(name)!;
        property.SetValue(without, property.GetValue(ProgressState.Beginning));
        var log = new List<string>();
        try
        {
            course.Drive(course.From(without), 1, log);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return true;
        }

        return !log.SequenceEqual(expected);
    }
}
