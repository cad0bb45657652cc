namespace DistributedBackprop.Simulation;

/// <summary>How the loop goes: what is due, what may run, how time passes, and when it gives up.</summary>
public sealed partial class SimulationLoop
{
    private Outcome Drive(Func<bool>? condition, TimeSpan end)
    {
        if (_driving)
        {
            throw new InvalidOperationException("The simulation is running already: actors and conditions cannot run it.");
        }

        var outcome = Outcome.Quiescent;
        _driving = true;
        try
        {
            Do(() => outcome = Steps(condition, end));
        }
        finally
        {
            _driving = false;
        }

        return outcome;
    }

    private Outcome Steps(Func<bool>? condition, TimeSpan end)
    {
        while (true)
        {
            FireDue();
            ThrowIfOutside();
            if (condition is not null && condition())
            {
                return Outcome.Satisfied;
            }

            if (Now >= end)
            {
                return Outcome.TimeReached;
            }

            if (_runs.Count > 0)
            {
                RunOne();
            }
            else if (!_timers.TryPeek(out _, out TimeSpan due))
            {
                return Outcome.Quiescent;
            }
            else
            {
                Advance(due < end ? due : end);
            }
        }
    }

    private void FireDue()
    {
        while (_timers.TryPeek(out SimulatedTimer? timer, out TimeSpan due) && due <= Now)
        {
            _timers.Remove();
            if (timer.Node is { IsPaused: true } paused)
            {
                paused.Hold(timer);
                continue;
            }

            Step("timer", timer.Node, "", timer.Action);
            if (timer.Interval is { } interval && timer.IsLive)
            {
                _timers.Add(timer, due + interval);
            }
        }
    }

    private void RunOne()
    {
        QueuedRun run = _runs.TakeAt(_order.Below(_runs.Count));
        _turns++;
        if (run.Node is { } node && TurnTaken is { } taken)
        {
            taken(node, run.Path, _turns, true);
            if (node.IsKilled)
            {
                return;
            }
        }

        Step("run", run.Node, run.Path, run.Work.Run);
        if (run.Node is { IsKilled: false } alive)
        {
            TurnTaken?.Invoke(alive, run.Path, _turns, false);
        }

        Advance(Now + _cost.Between(_options.ShortestRun, _options.LongestRun));
    }

    private void Step(string kind, SimulatedNode? node, string path, Action work)
    {
        if (++StepCount > _options.MaxSteps)
        {
            throw Failure($"it did not come to an end within {_options.MaxSteps} steps ({nameof(SimulationOptions.MaxSteps)})");
        }

        _trace.BeginStep(kind, Now, node, path);
        CurrentNode = node;
        try
        {
            work();
        }
        finally
        {
            CurrentNode = null;
            _trace.EndStep();
        }
    }

    private void Advance(TimeSpan to)
    {
        Now = to;
        if (Now > _options.MaxVirtualTime)
        {
            throw Failure(
                $"it did not come to an end within {_options.MaxVirtualTime} of virtual time ({nameof(SimulationOptions.MaxVirtualTime)})");
        }
    }

    private void ThrowIfOutside()
    {
        if (!_outside.IsEmpty)
        {
            throw Failure("something happened outside the loop, so the run cannot be repeated");
        }
    }

    private SimulationException Failure(string what) =>
        new(PendingReport.Of(this, what, _runs.Waiting, _timers.Waiting, [.. _outside]));
}
