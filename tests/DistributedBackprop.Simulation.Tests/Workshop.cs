using System.Globalization;
using Akka.Actor;
using Akka.Configuration;

namespace DistributedBackprop.Simulation.Tests;

/// <summary>
/// A small system that uses what production actors use: receive, timers, become, stash, death watch, restarts by a
/// supervisor, children that stop, a dispatcher of its own, two nodes. Its result depends on the order of events.
/// </summary>
internal static class Workshop
{
    public const string Lanes = "backprop.lane-0 { type = ForkJoinDispatcher, dedicated-thread-pool.thread-count = 1 }";

    public sealed record Job(int Number);

    public sealed record Done(int Number, string Worker, long FinishedMs);

    public sealed record Gone(string Worker);

    public sealed record Ready;

    public sealed record Close;

    public sealed record Broken(int Number);

    public sealed record Tick;

    /// <summary>Runs the workshop to its end and says what happened, in the order in which the foreman saw it.</summary>
    public static Result Run(ulong seed, SimulationOptions? options = null)
    {
        using var loop = new SimulationLoop(seed, options);
        SimulatedNode office = loop.CreateNode("office");
        SimulatedNode floor = loop.CreateNode("floor", ConfigurationFactory.ParseString(Lanes));
        var report = new List<string>();
        IActorRef foreman = office.System.ActorOf(Props.Create(() => new Foreman(report, 12)), "foreman");
        for (int crew = 0; crew < 2; crew++)
        {
            floor.System.ActorOf(Props.Create(() => new Crew(foreman, 3)), FormattableString.Invariant($"crew-{crew}"));
        }

        loop.RunUntil(() => report.Contains("closed"));
        office.Terminate();
        floor.Kill();
        loop.RunUntilQuiescent();
        office.IsTerminated.ShouldBeTrue();
        return new Result(loop.TraceHash, string.Join(' ', report), loop.MessageCount, loop.Now);
    }

    public sealed record Result(string TraceHash, string Report, long Messages, TimeSpan Took);

    /// <summary>Gives jobs to workers that say they are ready; closes when all are done.</summary>
    private sealed class Foreman : ReceiveActor, IWithTimers
    {
        private readonly Queue<int> _open;
        private int _left;
        private int _ticks;

        public Foreman(List<string> report, int jobs)
        {
            _open = new Queue<int>(Enumerable.Range(0, jobs));
            _left = jobs;
            Receive<Ready>(_ => Give());
            Receive<Tick>(_ => _ticks++);
            Receive<Broken>(broken => _open.Enqueue(broken.Number + 6));
            Receive<Gone>(gone => report.Add("gone:" + gone.Worker));
            Receive<Done>(done =>
            {
                report.Add(string.Create(CultureInfo.InvariantCulture, $"{done.Number}@{done.Worker}"));
                _left--;
                if (_left == 0)
                {
                    report.Add("ticks:" + (_ticks > 0));
                    report.Add("closed");
                }

                Give();
            });
        }

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => Timers.StartPeriodicTimer("tick", new Tick(), TimeSpan.FromMilliseconds(10));

        private void Give()
        {
            if (_open.TryDequeue(out int job))
            {
                Sender.Tell(new Job(job));
            }
            else
            {
                Sender.Tell(new Close());
            }
        }
    }

    /// <summary>Supervises workers: a failed one starts again and is told of what it dropped; all are watched.</summary>
    private sealed class Crew : ReceiveActor
    {
        public Crew(IActorRef foreman, int workers)
        {
            for (int i = 0; i < workers; i++)
            {
                string name = FormattableString.Invariant($"worker-{i}");
                Context.Watch(Context.ActorOf(
                    Props.Create(() => new Worker(foreman)).WithDispatcher("backprop.lane-0"), name));
            }

            Receive<Terminated>(death => foreman.Tell(new Gone(death.ActorRef.Path.Name)));
        }

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(
            cause => cause is InvalidOperationException ? Directive.Restart : Directive.Escalate);
    }

    /// <summary>Warms up behind a stash, works for a while of virtual time, fails at every fifth job.</summary>
    private sealed class Worker : ReceiveActor, IWithUnboundedStash, IWithTimers
    {
        private readonly IActorRef _foreman;
        private int _number;

        public Worker(IActorRef foreman)
        {
            _foreman = foreman;
            Become(Warming);
        }

        public IStash Stash { get; set; } = null!;

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart()
        {
            Timers.StartSingleTimer("warm", new Tick(), TimeSpan.FromMilliseconds(5));
            Context.ActorOf(Props.Create(() => new Tool()), "tool-a");
            Context.ActorOf(Props.Create(() => new Tool()), "tool-b");
            _foreman.Tell(new Ready());
        }

        protected override void PreRestart(Exception reason, object message)
        {
            _foreman.Tell(new Broken(_number));
            base.PreRestart(reason, message);
        }

        private void Warming()
        {
            Receive<Tick>(_ =>
            {
                Become(Idle);
                Stash.UnstashAll();
            });
            ReceiveAny(_ => Stash.Stash());
        }

        private void Idle()
        {
            Receive<Close>(_ => Context.Stop(Self));
            Receive<Job>(job =>
            {
                _number = job.Number;
                Timers.StartSingleTimer("work", new Tick(), TimeSpan.FromMilliseconds(1));
                BecomeStacked(Busy);
            });
        }

        private void Busy() => Receive<Tick>(_ =>
        {
            if (_number % 5 == 4)
            {
                throw new InvalidOperationException("The tool broke at job " + _number.ToString(CultureInfo.InvariantCulture));
            }

            UnbecomeStacked();
            _foreman.Tell(new Done(_number, $"{Self.Path.Parent.Name}/{Self.Path.Name}", Context.System.Scheduler.Now.Millisecond));
        });
    }

    private sealed class Tool : ReceiveActor
    {
        public Tool() => ReceiveAny(Sender.Tell);
    }
}
