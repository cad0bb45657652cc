using Akka.Dispatch;

namespace DistributedBackprop.Simulation;

/// <summary>
/// Queues tasks on the loop. All that the loop does is done inside a task of this scheduler, so that continuations made
/// within (the termination callbacks of an actor system among them) come back to the loop and not to the thread pool.
/// </summary>
internal sealed class LoopTaskScheduler(SimulationLoop loop) : TaskScheduler
{
    /// <inheritdoc/>
    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Whether the caller is inside a task of this scheduler.</summary>
    public bool IsAtWork => Current == this;

    /// <summary>Runs <paramref name="action"/> now, on this thread, inside a task of this scheduler.</summary>
    public void Run(Action action)
    {
        if (IsAtWork)
        {
            action();
            return;
        }

        var task = new Task(action);
        task.RunSynchronously(this);
        task.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    protected override void QueueTask(Task task) => loop.Enqueue(loop.CurrentNode, "", new TaskRun(this, task));

    /// <inheritdoc/>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && loop.IsOnItsThread && TryExecuteTask(task);

    /// <inheritdoc/>
    protected override IEnumerable<Task>? GetScheduledTasks() => null;

    private sealed class TaskRun(LoopTaskScheduler scheduler, Task task) : IRunnable
    {
        public void Run() => scheduler.TryExecuteTask(task);

        public void Execute() => Run();
    }
}
