using System.Collections;
using System.Collections.Immutable;
using System.Globalization;

namespace DistributedBackprop.Actors.Tests.Wire;

/// <summary>Compares messages by what is in them: lists by their items, doubles by their bits.</summary>
internal static class SameContent
{
    public static void ShouldBeSameAs(this object? actual, object? expected, string at = "message")
    {
        switch (expected)
        {
            case double number:
                BitConverter.DoubleToInt64Bits(actual.ShouldBeOfType<double>(at))
                    .ShouldBe(BitConverter.DoubleToInt64Bits(number), at);
                break;
            case ImmutableDictionary<int, int> dictionary:
                actual.ShouldBeOfType<ImmutableDictionary<int, int>>(at).OrderBy(pair => pair.Key)
                    .ShouldBe(dictionary.OrderBy(pair => pair.Key), at);
                break;
            case IEnumerable items and not string:
                ItemsShouldBeSame(((IEnumerable)actual.ShouldNotBeNull(at)).Cast<object>(), items.Cast<object>(), at);
                break;
            case { } record when IsRecord(record.GetType()):
                actual.ShouldNotBeNull(at).GetType().ShouldBe(record.GetType(), at);
                foreach (var property in record.GetType().GetProperties())
                {
                    property.GetValue(actual).ShouldBeSameAs(property.GetValue(record), $"{at}.{property.Name}");
                }

                break;
            default:
                actual.ShouldBe(expected, at);
                break;
        }
    }

    private static void ItemsShouldBeSame(IEnumerable<object> actual, IEnumerable<object> expected, string at)
    {
        var (these, those) = (actual.ToList(), expected.ToList());
        these.Count.ShouldBe(those.Count, at);
        for (var index = 0; index < these.Count; index++)
        {
            these[index].ShouldBeSameAs(those[index], string.Create(CultureInfo.InvariantCulture, $"{at}[{index}]"));
        }
    }

    private static bool IsRecord(Type type) =>
        type.Assembly == typeof(Actors.Wire.IWireMessage).Assembly && type.IsClass && type.GetMethod("<Clone>$") is not null;
}
