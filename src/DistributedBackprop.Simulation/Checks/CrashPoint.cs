namespace DistributedBackprop.Simulation.Checks;

/// <summary>A moment at which a process can be killed.</summary>
/// <param name="Turn">The how manyth turn of an actor it is, in the whole simulation.</param>
/// <param name="IsBefore">Whether the process dies before the actor takes the message; else after it has handled it.</param>
/// <param name="Host">The process.</param>
/// <param name="Actor">The actor's path.</param>
/// <param name="Message">The message's type.</param>
/// <param name="Writes">Whether something is written in that turn that outlives the process.</param>
public sealed record CrashPoint(long Turn, bool IsBefore, string Host, string Actor, string Message, bool Writes)
{
    /// <summary>For people: <c>turn 717, before Activation at akka://n2/user/…</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"turn {Turn}, {(IsBefore ? "before" : "after")} {Message} at {Actor}");
}
