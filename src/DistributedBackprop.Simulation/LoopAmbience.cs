using System.Globalization;
using Akka.Actor;
using Akka.Actor.Internal;

namespace DistributedBackprop.Simulation;

/// <summary>
/// What actors see of their thread while they are simulated: no synchronization context (xunit installs one, and awaits
/// would leave through it), the invariant culture (texts enter the trace), Akka's randomness seeded, and no actor that is
/// at work (TestKit leaves its own on the thread: it would be the sender of whatever is told without one).
/// </summary>
internal sealed class LoopAmbience(Random akkaRandomness)
{
    private SynchronizationContext? _formerContext;
    private CultureInfo? _formerCulture;
    private Random? _formerRandomness;
    private ActorCell? _formerActor;

    /// <summary>Puts this ambience on the current thread; does nothing if it is there.</summary>
    /// <param name="inActor">Whether an actor of the loop may be at work on this thread; it stays then.</param>
    public void Install(bool inActor)
    {
        // Set every time: another loop on this thread may have taken its place, and awaits may have brought a context back.
        if (_formerRandomness is null)
        {
            _formerContext = SynchronizationContext.Current;
            _formerCulture = CultureInfo.CurrentCulture;
            _formerRandomness = AkkaRandomness.OfThisThread;
            _formerActor = InternalCurrentActorCellKeeper.Current;
        }

        if (!inActor)
        {
            InternalCurrentActorCellKeeper.Current = null;
        }

        SynchronizationContext.SetSynchronizationContext(null);
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        AkkaRandomness.OfThisThread = akkaRandomness;
    }

    /// <summary>Gives the thread back as it was before the first <see cref="Install"/>.</summary>
    public void Restore()
    {
        if (_formerRandomness is null)
        {
            return;
        }

        SynchronizationContext.SetSynchronizationContext(_formerContext);
        CultureInfo.CurrentCulture = _formerCulture!;
        AkkaRandomness.OfThisThread = _formerRandomness;
        InternalCurrentActorCellKeeper.Current = _formerActor;
        _formerRandomness = null;
    }
}
