using Akka.Configuration;
using Akka.Dispatch;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// A dispatcher with threads of its own that sleep while there is nothing to do. Akka's dedicated pools yield dozens of
/// times before they sleep: with two processes of one core each that average gradients, a profile had 7 % of all samples
/// in their yields. The rate of training did not change measurably by it; what is saved is left to whoever else computes.
/// </summary>
public sealed class OwnThreadsDispatcher : MessageDispatcher
{
    private readonly string _name;
    private readonly int _threads;
    private readonly Lock _starting = new();
    private volatile Crew? _crew;

    /// <summary>Made by its configurator.</summary>
    /// <param name="configurator">The configurator.</param>
    /// <param name="config">The dispatcher's section: <c>threads</c>, ≥ 1 (default 1), and what all dispatchers have.</param>
    public OwnThreadsDispatcher(MessageDispatcherConfigurator configurator, Config config)
        : base(configurator)
    {
        ArgumentNullException.ThrowIfNull(config);
        _name = config.GetString("id");
        _threads = Math.Max(1, config.GetInt("threads", 1));
        Id = _name;
        Throughput = config.GetInt("throughput", 100);
        ThroughputDeadlineTime = null;
    }

    /// <inheritdoc/>
    protected override void ExecuteTask(IRunnable run)
    {
        while (true)
        {
            if (_crew is { } crew && crew.TryAdd(run))
            {
                return;
            }

            // The first task, or the first since the last actor was gone.
            lock (_starting)
            {
                if (_crew is not { HasEnded: false })
                {
                    _crew = new Crew(_name, _threads);
                }
            }
        }
    }

    /// <inheritdoc/>
    protected override void Shutdown() => _crew?.End();

    private sealed class Crew
    {
        private readonly object _gate = new();
        private readonly Queue<IRunnable> _tasks = new();
        private int _asleep;
        private bool _hasEnded;

        public Crew(string name, int threads)
        {
            for (var number = 0; number < threads; number++)
            {
                new Thread(Work) { IsBackground = true, Name = name }.Start();
            }
        }

        public bool HasEnded
        {
            get
            {
                lock (_gate)
                {
                    return _hasEnded;
                }
            }
        }

        public bool TryAdd(IRunnable run)
        {
            lock (_gate)
            {
                if (_hasEnded)
                {
                    return false;
                }

                _tasks.Enqueue(run);
                if (_asleep > 0)
                {
                    Monitor.Pulse(_gate);
                }

                return true;
            }
        }

        public void End()
        {
            lock (_gate)
            {
                _hasEnded = true;
                Monitor.PulseAll(_gate);
            }
        }

        private void Work()
        {
            while (TryTake(out var run))
            {
                // A mailbox hands failures to supervisors: it lets none out.
                run.Run();
            }
        }

        // What was added before the end is still done.
        private bool TryTake(out IRunnable run)
        {
            lock (_gate)
            {
                while (_tasks.Count == 0 && !_hasEnded)
                {
                    _asleep++;
                    Monitor.Wait(_gate);
                    _asleep--;
                }

                return _tasks.TryDequeue(out run!);
            }
        }
    }
}

/// <summary>What HOCON names as the <c>type</c> of a dispatcher with threads of its own.</summary>
public sealed class OwnThreadsConfigurator : MessageDispatcherConfigurator
{
    private readonly OwnThreadsDispatcher _dispatcher;

    /// <summary>Called by Akka.</summary>
    public OwnThreadsConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) => _dispatcher = new OwnThreadsDispatcher(this, config);

    /// <summary>The section of a dispatcher.</summary>
    /// <param name="threads">≥ 1.</param>
    public static string Hocon(int threads) => $$"""
        {
          type = "{{typeof(OwnThreadsConfigurator).FullName}}, {{typeof(OwnThreadsConfigurator).Assembly.GetName().Name}}"
          throughput = 100
          threads = {{threads}}
        }
        """;

    /// <inheritdoc/>
    public override MessageDispatcher Dispatcher() => _dispatcher;
}
