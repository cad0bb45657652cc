using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>One job, handed to the coordinator itself, and again to every coordinator that follows.</summary>
internal sealed class SingleJob(SimulatedJob job) : IJobSource
{
    private SimulatedCluster _cluster = null!;
    private IActorRef _watcher = ActorRefs.Nobody;
    private IActorRef _coordinator = ActorRefs.Nobody;
    private bool _isSubmitted;

    /// <summary>The job.</summary>
    public SimulatedJob Job => job;

    /// <summary>What it told.</summary>
    public JobCourse Course { get; private set; } = null!;

    /// <summary>Whether it was asked to pause and has not gone on yet.</summary>
    public bool IsPausing { get; private set; }

    public IDataSets Data { get; } = new GivenData(job.Data);

    public void Attach(SimulatedCluster cluster)
    {
        _cluster = cluster;
        Course = new JobCourse(cluster.Loop);
    }

    public JobService? ServiceOf(SimulatedHost host) => null;

    public void OnCoordinator(SimulatedHost host, IActorRef coordinator)
    {
        _coordinator = coordinator;

        // Whoever coordinates no more may say what it likes of the job: nobody listens.
        _cluster.Loop.Do(() => _watcher = host.Node.System.ActorOf(
            Props.Create(() => new CourseActor(Course, () => _cluster.IsNewest(host))), "watcher"));
        if (_isSubmitted)
        {
            HandIn();
        }
    }

    /// <summary>It is handed in, once.</summary>
    public void Submit()
    {
        if (!_isSubmitted)
        {
            _isSubmitted = true;
            HandIn();
        }
    }

    /// <summary>It is handed in; where it has begun its journal says where it goes on.</summary>
    public void HandIn()
    {
        Course.OnSubmitted();
        IsPausing = false;
        _cluster.Loop.Do(() => _coordinator.Tell(new SubmitJob(job.Run, _watcher), _watcher));
    }

    /// <summary>It is asked to pause.</summary>
    public void Pause()
    {
        IsPausing = true;
        Course.PausesAsked++;
        _cluster.Loop.Do(() => _watcher.Tell(new PauseJob()));
    }

    /// <summary>It is asked to end.</summary>
    public void Cancel() => _cluster.Loop.Do(() => _watcher.Tell(new CancelJob()));
}
