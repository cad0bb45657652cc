using Akka.Actor;

namespace DistributedBackprop.Server.Local;

/// <summary>Takes one answer for somebody outside the actors.</summary>
internal sealed class AnswerActor : ReceiveActor
{
    public AnswerActor(TaskCompletionSource<object> answer) => ReceiveAny(message =>
    {
        answer.TrySetResult(message);
        Context.Stop(Self);
    });

    public static Props Props(TaskCompletionSource<object> answer) => Akka.Actor.Props.Create(() => new AnswerActor(answer));
}
