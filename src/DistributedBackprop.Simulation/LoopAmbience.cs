using System.Globalization;

namespace DistributedBackprop.Simulation;

/// <summary>
/// What actors see of their thread while they are simulated: no synchronization context (xunit installs one, and awaits
/// would leave through it), the invariant culture (texts enter the trace), and Akka's randomness seeded.
/// </summary>
internal sealed class LoopAmbience(Random akkaRandomness)
{
    private SynchronizationContext? _formerContext;
    private CultureInfo? _formerCulture;
    private Random? _formerRandomness;

    /// <summary>Puts this ambience on the current thread; does nothing if it is there.</summary>
    public void Install()
    {
        // Set every time: another loop on this thread may have taken its place, and awaits may have brought a context back.
        if (_formerRandomness is null)
        {
            _formerContext = SynchronizationContext.Current;
            _formerCulture = CultureInfo.CurrentCulture;
            _formerRandomness = AkkaRandomness.OfThisThread;
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
        _formerRandomness = null;
    }
}
