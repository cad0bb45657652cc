using System.Diagnostics.Metrics;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Actors.Wire;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>What every node counts anyway: it is read when it is sent.</summary>
internal static class NodeMeasures
{
    private static readonly (Flow Flow, string Name)[] _flows =
        [(Flow.Activation, "activations"), (Flow.Delta, "deltas"), (Flow.Averaging, "averaging"), (Flow.State, "state")];

    public static void Create(Meter meter, TensorPlane plane)
    {
        Flowing(meter, Measures.TensorsSent, plane.BytesSent);
        Flowing(meter, Measures.TensorsReceived, plane.Counters.BytesReceived);
        Counting(meter, Measures.ControlSent, () => WireTraffic.BytesWritten);
        Counting(meter, Measures.ControlReceived, () => WireTraffic.BytesRead);
        meter.CreateObservableGauge(
            Measures.FramesWaiting.Name, () => plane.FramesWaiting, Measures.FramesWaiting.Unit, Measures.FramesWaiting.Description);
    }

    private static void Counting(Meter meter, Measure measure, Func<long> read) =>
        meter.CreateObservableCounter(measure.Name, read, measure.Unit, measure.Description);

    private static void Flowing(Meter meter, Measure measure, Func<Flow, long> read) => meter.CreateObservableCounter(
        measure.Name,
        () => _flows.Select(flow => new Measurement<long>(read(flow.Flow), KeyValuePair.Create("flow", (object?)flow.Name))),
        measure.Unit,
        measure.Description);
}
