using System.Runtime.InteropServices;

namespace DistributedBackprop.Cli.Node;

/// <summary>
/// Signals to a node: the first asks it to leave, a second ends the process at once. A child leaves SIGINT to its parent:
/// a terminal signals the whole group.
/// </summary>
internal sealed class NodeSignals : IDisposable
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _registrations;

    public NodeSignals(bool isChild) => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGINT, isChild ? context => context.Cancel = true : OnSignal),
    ];

    /// <summary>Completes at the first signal.</summary>
    public Task Asked => _asked.Task;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void OnSignal(PosixSignalContext context) => context.Cancel = _asked.TrySetResult();
}
