using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>The disk of the coordinator: what is on it survives the process. Slow, failing or away as the weather has it.</summary>
public sealed class SimulatedDisk
{
    private readonly Dictionary<StateVector, byte[]> _vectors = [];
    private StateLayout? _layout;

    /// <summary>How long a write takes at most. Default: 20 ms.</summary>
    public TimeSpan LongestWrite { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Whether writes fail, and are reported as failed.</summary>
    public bool Fails { get; set; }

    /// <summary>Whether it does not answer at all: what is asked waits until it does.</summary>
    public bool IsAway { get; set; }

    /// <summary>The step of the newest checkpoint on it; 0 for none.</summary>
    public long Step => Progress.Step;

    /// <summary>How many writes have failed.</summary>
    public int Failed { get; internal set; }

    /// <summary>The job's course at the newest checkpoint.</summary>
    internal ProgressState Progress { get; private set; } = ProgressState.Beginning;

    /// <summary>What becomes of a state that is written; null: it is kept as it is. To try mistakes.</summary>
    internal Func<StateVector, byte[], byte[]>? Interceptor { get; set; }

    /// <summary>What becomes of the course that is written. To try mistakes.</summary>
    internal Func<ProgressState, ProgressState>? ProgressInterceptor { get; set; }

    /// <summary>Keeps a checkpoint in place of the one before.</summary>
    internal void Write(TrainingState state, ProgressState progress)
    {
        _layout = state.Layout;
        Progress = ProgressInterceptor?.Invoke(progress) ?? progress;
        _vectors.Clear();
        foreach (var vector in state.Layout.Vectors)
        {
            var bytes = state[vector].Bytes.ToArray();
            _vectors.Add(vector, Interceptor?.Invoke(vector, bytes) ?? bytes);
        }
    }

    /// <summary>Where a job goes on with what is here.</summary>
    internal JobStart Read(TensorPool pool, JobCourse course)
    {
        TrainingState? state = null;
        if (_layout is { } layout)
        {
            state = new TrainingState(layout, pool);
            foreach (var vector in layout.Vectors)
            {
                var tensor = Tensor.Rent(pool, new Shape(layout.LengthOf(vector)), StateLayout.TypeOf(vector));
                _vectors[vector].CopyTo(tensor.Bytes);
                state.Add(vector, 0, tensor);
            }
        }

        // Numbers that nodes may have seen though nobody has told of them are skipped.
        return new JobStart
        {
            State = state,
            Progress = Progress,
            LastGeneration = course.Generation + 1000,
            ToldStep = course.Step,
            ToldEpochs = course.Epochs,
        };
    }
}

/// <summary>Saves checkpoints on a simulated disk.</summary>
internal sealed class SimulatedStore : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(100);

    public SimulatedStore(SimulatedDisk disk, KeyedGenerator draws)
    {
        Receive<CommitCheckpoint>(commit =>
        {
            var delay = draws.Between(TimeSpan.FromTicks(1), disk.LongestWrite);
            var write = new Write(commit, Sender);
            Timers.StartSingleTimer(write, write, delay);
        });
        Receive<Write>(write =>
        {
            var commit = write.Commit;
            if (disk.IsAway)
            {
                Timers.StartSingleTimer(write, write, _again);
                return;
            }

            using (commit.State)
            {
                if (disk.Fails)
                {
                    disk.Failed++;
                    write.Job.Tell(new CheckpointNotCommitted(commit.JobId, commit.Step, "the simulated disk is full"));
                    return;
                }

                disk.Write(commit.State, commit.Progress);
                write.Job.Tell(new CheckpointCommitted(
                    commit.JobId, commit.Step, commit.State.Layout.Elements * sizeof(float)));
            }
        });
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private sealed record Write(CommitCheckpoint Commit, IActorRef Job) : INoSerializationVerificationNeeded;
}
