using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Tensors;

public sealed class ThreadedTilesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_tile_runs_once(int width)
    {
        using var tiles = new ThreadedTiles(width);
        tiles.Width.ShouldBe(width);
        for (var run = 0; run < 2000; run++)
        {
            var work = new Counting(run % 23);
            tiles.Run(work, run % 23);
            work.Counts.ShouldAllBe(count => count == 1);
        }
    }

    [Fact]
    public void The_threads_take_part_awake_or_asleep()
    {
        using var tiles = new ThreadedTiles(3);
        for (var run = 0; run < 3; run++)
        {
            // Each of three tiles waits for the two others: one thread alone would never get through.
            using var meeting = new Meeting(3);
            tiles.Run(meeting, 3);
            meeting.Threads.Count.ShouldBe(3);
            GC.Collect();
        }
    }

    [Fact]
    public void What_a_tile_throws_reaches_the_caller_after_all_have_left()
    {
        using var tiles = new ThreadedTiles(3);
        for (var run = 0; run < 50; run++)
        {
            var failing = new Failing(run % 7);
            Should.Throw<InvalidOperationException>(() => tiles.Run(failing, 7)).Message.ShouldBe($"tile {run % 7}");
            failing.Inside.ShouldBe(0);
            var work = new Counting(20);
            tiles.Run(work, 20);
            work.Counts.ShouldAllBe(count => count == 1);
        }
    }

    [Fact]
    public void Callers_do_not_disturb_each_other()
    {
        using var tiles = new ThreadedTiles(2);
        var failures = 0;
        var callers = Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            for (var run = 0; run < 1000; run++)
            {
                var work = new Counting(9);
                tiles.Run(work, 9);
                if (work.Counts.Any(count => count != 1))
                {
                    Interlocked.Increment(ref failures);
                }
            }
        })).ToList();
        callers.ForEach(caller => caller.Start());
        callers.ForEach(caller => caller.Join());
        failures.ShouldBe(0);
    }

    [Fact]
    public void A_run_allocates_nothing()
    {
        using var tiles = new ThreadedTiles(2);
        var work = new Counting(8);
        tiles.Run(work, 8);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var run = 0; run < 100; run++)
        {
            tiles.Run(work, 8);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void After_the_end_nothing_runs()
    {
        var tiles = new ThreadedTiles(2);
        tiles.Dispose();
        Should.Throw<ObjectDisposedException>(() => tiles.Run(new Counting(2), 2));
        Should.Throw<ArgumentOutOfRangeException>(() => new ThreadedTiles(0));
    }

    private sealed class Counting(int tiles) : TileWork
    {
        public int[] Counts { get; } = new int[tiles];

        public override void RunTile(int tile) => Interlocked.Increment(ref Counts[tile]);
    }

    private sealed class Meeting(int parties) : TileWork, IDisposable
    {
        private readonly Barrier _barrier = new(parties);

        public HashSet<int> Threads { get; } = [];

        public void Dispose() => _barrier.Dispose();

        public override void RunTile(int tile)
        {
            lock (Threads)
            {
                Threads.Add(Environment.CurrentManagedThreadId);
            }

            _barrier.SignalAndWait(TimeSpan.FromSeconds(30)).ShouldBeTrue();
        }
    }

    private sealed class Failing(int where) : TileWork
    {
        private int _inside;

        public int Inside => _inside;

        public override void RunTile(int tile)
        {
            Interlocked.Increment(ref _inside);
            try
            {
                if (tile == where)
                {
                    throw new InvalidOperationException($"tile {tile}");
                }
            }
            finally
            {
                Interlocked.Decrement(ref _inside);
            }
        }
    }
}
