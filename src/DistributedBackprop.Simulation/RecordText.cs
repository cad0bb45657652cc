using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace DistributedBackprop.Simulation;

/// <summary>
/// Writes what a record prints into text that is kept, instead of making a string of it. Nearly every message is a record,
/// and the strings were most of what a simulation left to be collected; a collection looks at all that lives, so a message
/// cost the more the larger the cluster was.
/// </summary>
internal static class RecordText
{
    private const BindingFlags OfInstances = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;

    private static readonly ConcurrentDictionary<Type, Action<object, StringBuilder>?> _writers = new();

    /// <summary>Writes what <see cref="object.ToString"/> of a record of <paramref name="type"/> gives; null where it is no record.</summary>
    public static Action<object, StringBuilder>? WriterOf(Type type) => _writers.GetOrAdd(type, Make);

    // Only the compiler writes PrintMembers(StringBuilder): it tells records, classes and structs alike, from the rest.
    private static Action<object, StringBuilder>? Make(Type type)
    {
        if (type.GetMethod("PrintMembers", OfInstances, [typeof(StringBuilder)]) is not { } members)
        {
            return null;
        }

        if (type.IsValueType || type.IsGenericType || !PrintsAsCompiled(type))
        {
            return static (record, text) => text.Append(record.ToString());
        }

        var print = members.CreateDelegate(typeof(Func<,,>).MakeGenericType(type, typeof(StringBuilder), typeof(bool)));
        var writer = typeof(Writer<>).MakeGenericType(type).GetConstructors().Single().Invoke([print]);
        return ((IWriter)writer).Write;
    }

    // A record may say itself what it prints; what it inherits it does not say.
    private static bool PrintsAsCompiled(Type type) =>
        type.GetMethod(nameof(ToString), OfInstances | BindingFlags.DeclaredOnly, [])?.IsDefined(typeof(CompilerGeneratedAttribute)) == true;

    private interface IWriter
    {
        void Write(object record, StringBuilder text);
    }

    /// <summary>As the compiler writes <see cref="object.ToString"/> of a record (C# specification, "Printing members").</summary>
    private sealed class Writer<T>(Func<T, StringBuilder, bool> members) : IWriter
        where T : class
    {
        private static readonly string _beginning = $"{typeof(T).Name} {{ ";

        public void Write(object record, StringBuilder text)
        {
            text.Append(_beginning);
            text.Append(members((T)record, text) ? " }" : "}");
        }
    }
}
