using System.Globalization;
using System.Text;
using Akka.Actor;
using DistributedBackprop.Simulation.Clusters;

namespace DistributedBackprop.Simulation.Tests;

/// <summary>What a message writes into the trace is what it prints, and making a string of it is not needed for that.</summary>
public sealed class MessageContentTests
{
    public static TheoryData<object> Messages => new()
    {
        "text",
        7,
        2.5m,
        DayOfWeek.Friday,
        new Plain(3, "three", null),
        new Plain(-1, null, new Plain(0, "", null)),
        new Empty(),
        new Derived(1, 2),
        new Speaking(4),
        new Heir(5),
        new Generic<int>(6),
        new Structure(7, "seven"),
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_writes_what_it_prints(object message) =>
        Written(message).ShouldBe(Convert.ToString(message, CultureInfo.InvariantCulture));

    [Fact]
    public void What_is_no_record_writes_nothing() => Written(new object()).ShouldBeEmpty();

    [Fact]
    public void All_records_of_a_training_write_what_they_print()
    {
        var kinds = new HashSet<Type>();
        using var cluster = new SimulatedCluster(3, DefaultJob.Load());
        cluster.Loop.MessageHandled = sent =>
        {
            if (Written(sent.Message) is { Length: > 0 } written && sent.Message is not (Terminated or IWrappedMessage))
            {
                written.ShouldBe(sent.Message.ToString());
                kinds.Add(sent.Message.GetType());
            }
        };
        cluster.RunToEnd();
        kinds.Count.ShouldBeGreaterThan(30);
    }

    [Fact]
    public void A_record_is_written_without_a_string_of_it()
    {
        var message = new Plain(3, new string('x', 200), null);
        var text = new StringBuilder(1024);
        MessageContent.Write(message, text);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var number = 0; number < 1000; number++)
        {
            MessageContent.Write(message, text.Clear());
        }

        var written = GC.GetAllocatedBytesForCurrentThread() - before;
        written.ShouldBeLessThan(1000 * sizeof(char) * message.ToString().Length / 2);
    }

    [Fact]
    public void What_a_message_leaves_to_be_collected_does_not_grow_with_the_nodes()
    {
        // What is made once in a process is no message's.
        BytesOfTurn(nodes: 4);
        var few = BytesOfTurn(nodes: 8);
        BytesOfTurn(nodes: 32).ShouldBeLessThan(few * 1.005);
    }

    // A stage of one of two replicas for each node: all have as much to do, and tell each other as much.
    private static double BytesOfTurn(int nodes)
    {
        var hidden = string.Concat(Enumerable.Repeat("    - dense: { units: 4, activation: tanh }\n", nodes - 1));
        using var cluster = new SimulatedCluster(1, SimulatedJob.Parse(string.Create(CultureInfo.InvariantCulture, $$"""
            name: even
            seed: 5
            data: { format: xor, train: { examples: 160 } }
            model:
              input: [2]
              layers:
            {{hidden}}    - dense: { units: 2 }
            loss: softmaxCrossEntropy
            optimizer: { sgd: { learningRate: 0.01 } }
            training: { batchSize: 16, microBatches: 2, epochs: 2 }
            parallelism: { replicas: 2, stages: {{nodes / 2}}, averaging: gradients }
            """)), nodes);
        cluster.RunUntilStep(1);
        var (bytes, turns) = (GC.GetAllocatedBytesForCurrentThread(), cluster.Loop.StepCount);
        cluster.RunToEnd();
        return (double)(GC.GetAllocatedBytesForCurrentThread() - bytes) / (cluster.Loop.StepCount - turns);
    }

    private static string Written(object message)
    {
        var text = new StringBuilder();
        MessageContent.Write(message, text);
        return text.ToString();
    }

    private sealed record Plain(int Number, string? Text, Plain? Inner);

    private sealed record Empty;

    private record Base(int First);

    private sealed record Derived(int First, int Second) : Base(First);

    private record Speaking(int Number)
    {
        public sealed override string ToString() => $"number {Number}";
    }

    private sealed record Heir(int Number) : Speaking(Number);

    private sealed record Generic<T>(T Value);

    private readonly record struct Structure(int Number, string Text);
}
