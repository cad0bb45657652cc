using System.Collections.Immutable;
using CsCheck;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;
using JobPaused = DistributedBackprop.Actors.Journal.JobPaused;
using JobResumed = DistributedBackprop.Actors.Journal.JobResumed;
using JobSubmitted = DistributedBackprop.Actors.Journal.JobSubmitted;

namespace DistributedBackprop.Actors.Tests.Journal;

/// <summary>Journals of jobs that could have happened, with every event in them.</summary>
internal static class RandomJournals
{
    public static Gen<ContentHash> Hash { get; } = Gen.Select(Gen.ULong, Gen.ULong, Gen.ULong, Gen.ULong, (a, b, c, d) => new ContentHash(a, b, c, d));

    // NaN, infinities and the zero that is not +0 among them.
    public static Gen<double> Number { get; } = Gen.OneOf(
        Gen.Double, Gen.OneOf(double.NaN, -0.0, double.PositiveInfinity, double.Epsilon), Gen.Long.Select(BitConverter.Int64BitsToDouble));

    public static Gen<string> Name { get; } = Gen.String[Gen.Char['a', 'z'], 1, 30];

    public static Gen<string> Words { get; } = Gen.String[Gen.OneOf(Gen.Char[' ', '~'], Gen.OneOf('ä', '…', '\n')), 0, 60];

    public static Gen<StateManifest> State { get; } =
        from layout in Hash
        from vectors in Gen.Select(Gen.Int[0, 9], Gen.Int[0, 3], Gen.Int[0, 7], Gen.Int[0, 1_000_000], Gen.Select(Gen.Int[1, StateChunk.MaxLength], Hash).Array[1, 4]).Array[0, 6]
        select new StateManifest(layout, [.. vectors.SelectMany(vector => Chunks(new(vector.Item1, vector.Item2, vector.Item3), vector.Item4, vector.Item5))]);

    public static Gen<string> Sha256 { get; } = Hash.Select(hash => hash.ToString());

    public static Gen<JobRecord> Submitted { get; } =
        from names in Gen.Select(Name, Words.Where(words => words.Length > 0), Name, Name, Name)
        from initial in Gen.Select(Sha256, State, (hash, state) => Tuple.Create(hash, state)).Null()
        from numbers in Gen.Select(Gen.Long[0, long.MaxValue], Gen.Long[0, 253_402_300_799_999])
        select (JobRecord)new JobSubmitted(
            names.Item1,
            names.Item2,
            names.Item3,
            names.Item4,
            initial?.Item1,
            initial?.Item2,
            names.Item5,
            numbers.Item1,
            DateTimeOffset.FromUnixTimeMilliseconds(numbers.Item2));

    /// <summary>A job's journal, from its first event to its last.</summary>
    public static Gen<ImmutableArray<JobRecord>> Job { get; } =
        from submitted in Submitted
        from keep in Gen.Int[1, 4]
        from moves in Gen.Select(Gen.Int[0, 9], Gen.Long[1, 50], Number, Number.Nullable(), State, Words).Array[0, 60]
        from end in Gen.Select(Gen.Int[0, 3], Number, Number.Nullable(), State, Sha256, Words)
        select Written(submitted, keep, moves, end);

    public static Gen<JobSubmission> Submission { get; } =
        from texts in Gen.Select(Name, Name, Words.Where(words => words.Length > 0), Name, Name)
        from threads in Gen.Int[1, int.MaxValue]
        select new JobSubmission(texts.Item1, texts.Item2, texts.Item3, texts.Item4, texts.Item5, threads);

    /// <summary>How a job ended.</summary>
    public static Gen<TrainingEvent> Outcome { get; } = Gen.OneOf<TrainingEvent>(
        Gen.Select(Gen.Long[1, long.MaxValue], Gen.Int[0, 9], Number, Number.Nullable(), Number.Nullable(), Sha256).Select(
            (steps, epochs, loss, testLoss, accuracy, hash) => (TrainingEvent)new TrainingCompleted(
                "job", steps, epochs, loss, testLoss, accuracy, loss, loss, hash, 3, 2)),
        Gen.Select(Gen.Long[0, long.MaxValue], Name.Null(), Words).Select(
            (step, layer, reason) => (TrainingEvent)new TrainingFailed("job", step, layer, reason)),
        Gen.Long[0, long.MaxValue].Select(step => (TrainingEvent)new TrainingCancelled("job", step)));

    /// <summary>Any change of the table.</summary>
    public static Gen<JobTableEvent> Change { get; } = Gen.OneOf<JobTableEvent>(
        Submission.Select(submission => (JobTableEvent)new Training.Jobs.Table.JobSubmitted(submission)),
        Name.Select(id => (JobTableEvent)new JobBegan(id)),
        Gen.Select(Name, Gen.OneOf(JobWish.Pause, JobWish.Cancel), (id, wish) => (JobTableEvent)new JobWished(id, wish)),
        Gen.Select(Name, Gen.Long[0, long.MaxValue], Words).Select(
            (id, step, why) => (JobTableEvent)new Training.Jobs.Table.JobPaused(id, step, why)),
        Gen.Select(Name, Gen.Bool, (id, isForced) => (JobTableEvent)new Training.Jobs.Table.JobResumed(id, isForced)),
        Outcome.Select(outcome => (JobTableEvent)new JobEnded("job", outcome)),
        Name.Select(id => (JobTableEvent)new JobDeleted(id)));

    /// <summary>Any event of the coordinator's journal.</summary>
    public static Gen<CoordinatorRecord> Coordinator { get; } = Gen.OneOf<CoordinatorRecord>(
        Gen.Select(Gen.Long[1, CoordinatorHistory.MaxEpoch], Name, (epoch, process) => (CoordinatorRecord)new CoordinatorTookOver(epoch, process)),
        Change.Select(change => (CoordinatorRecord)new TableChanged(change)));

    /// <summary>A job of the table, wherever it stands.</summary>
    public static Gen<JobEntry> Entry { get; } =
        from submission in Submission
        from numbers in Gen.Select(Gen.Long[1, long.MaxValue], Gen.Long[1, long.MaxValue], Gen.Long[0, long.MaxValue])
        from state in Gen.Enum<JobState>()
        from wish in Gen.Enum<JobWish>()
        from outcome in Outcome
        from why in Words
        from isForced in Gen.Bool
        select new JobEntry(submission, numbers.Item1, state, numbers.Item2)
        {
            Wish = wish,
            Step = numbers.Item3,
            WhyPaused = why,
            IsForced = isForced,
            Outcome = state < JobState.Completed ? null : outcome switch
            {
                TrainingCompleted completed => completed,
                TrainingFailed failed => failed with { JobId = submission.Id },
                TrainingCancelled cancelled => cancelled with { JobId = submission.Id },
                _ => throw new InvalidOperationException("no end of a job"),
            },
        };

    /// <summary>A summary of any journal, at any time.</summary>
    public static Gen<IJournalEvent> Summary { get; } = Gen.OneOf(
        Job.SelectMany(records => Gen.Int[0, records.Length].Select(length => (IJournalEvent)new JobSummary(
            records.Take(length).Aggregate(JobHistory.Empty, (history, record) => history.After(record))))),
        Gen.Select(Gen.Long[1, CoordinatorHistory.MaxEpoch], Name, Gen.Long[0, long.MaxValue], Entry.Array[0, 5]).Select(
            (epoch, process, number, jobs) => (IJournalEvent)new CoordinatorSummary(
                epoch, process, number, [.. jobs.DistinctBy(job => job.Id)], number)));

    /// <summary>What happens to a job between its end and its beginning, and between two versions.</summary>
    public static Gen<IJournalEvent> Rare { get; } = Gen.OneOf(
        Gen.Const((IJournalEvent)new JobForgotten()), Name.Select(version => (IJournalEvent)new VersionForced(version)));

    private static IEnumerable<StateChunk> Chunks(StateVector vector, int start, (int Length, ContentHash Hash)[] pieces)
    {
        foreach (var (length, hash) in pieces)
        {
            yield return new StateChunk(vector, start, length, hash);
            start += length;
        }
    }

    private static ImmutableArray<JobRecord> Written(
        JobRecord submitted,
        int keep,
        (int Kind, long By, double Number, double? Other, StateManifest State, string Words)[] moves,
        (int Kind, double Number, double? Other, StateManifest State, string Sha256, string Words) end)
    {
        var records = ImmutableArray.CreateBuilder<JobRecord>();
        records.AddRange(submitted, new JobTookOver(1), new JobPlaced(1, "the job begins"));
        var (owner, generation, step, epochs, lastEpochStep, isPaused) = (1L, 1L, 0L, 0, 0L, false);
        List<long> checkpoints = [];
        foreach (var move in moves)
        {
            switch (move.Kind)
            {
                case 0:
                    records.Add(new JobTookOver(owner += move.By, FormattableString.Invariant($"process-{move.By}"), move.By));
                    break;
                case 1:
                    records.Add(new JobPlaced(generation += move.By, move.Words));
                    // A job goes on from its newest checkpoint.
                    step = checkpoints.LastOrDefault();
                    break;
                case 2 when checkpoints.Count > 0:
                    var damaged = checkpoints[(int)(move.By % checkpoints.Count)];
                    checkpoints.Remove(damaged);
                    records.Add(new CheckpointDropped(damaged, move.Words));
                    break;
                case 3:
                    records.Add(isPaused ? new JobResumed() : new JobPaused(step));
                    isPaused = !isPaused;
                    break;
                case 4 or 5 when step > lastEpochStep:
                    epochs++;
                    lastEpochStep = step;
                    records.Add(new EpochDecided(new EpochDone(epochs, step, move.Number, move.Other, move.Other), EndsJob: false, move.By));
                    break;
                case > 5 when step > 0:
                    var progress = new ProgressState(
                        step, step * 7, epochs, move.Number, move.Other, move.Other, move.Number, 7, move.Number, 2, true, false, false);
                    records.Add(new CheckpointCommitted(new CheckpointManifest(generation, progress, move.State), keep));
                    checkpoints.RemoveAll(known => known >= step);
                    checkpoints.Add(step);
                    checkpoints.RemoveRange(0, Math.Max(0, checkpoints.Count - keep));
                    break;
                default:
                    step += move.By;
                    break;
            }
        }

        JobRecord? last = end.Kind switch
        {
            0 => new JobCompleted(
                new TrainingCompleted("job", step + 1, epochs, end.Number, end.Other, end.Other, end.Number, end.Number, end.Sha256, 3, 2),
                end.State),
            1 => new JobFailed(step, null, end.Words),
            2 => new JobFailed(step, "dense1", end.Words),
            _ => new JobCancelled(step),
        };
        records.Add(last);
        return records.ToImmutable();
    }
}
