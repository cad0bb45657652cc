using System.Collections.Immutable;
using DistributedBackprop.Actors.Wire;
using static DistributedBackprop.Actors.Journal.JournalFields;

namespace DistributedBackprop.Actors.Journal;

/// <summary>The events of the coordinator's journal.</summary>
internal static class CoordinatorRecordFormats
{
    public static ImmutableArray<JournalFormat> All { get; } =
    [
        JournalFormat.Of<CoordinatorTookOver, Forms.CoordinatorTookOver>(
            "coordinator-took-over-1",
            record => new() { Epoch = record.Epoch, Process = record.Process },
            form => new(
                WireFields.Number(form.Epoch, "epoch", 1, CoordinatorHistory.MaxEpoch), Text(form.Process, "process"))),
        JournalFormat.Of<TableChanged, Forms.TableChanged>(
            "table-changed-1", record => TableChangeForm.Write(record.Change), form => new(TableChangeForm.Read(form))),
    ];
}
