using System.Globalization;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Which numbers a key takes.</summary>
/// <param name="Allows">Whether a number lies in it.</param>
/// <param name="Allowed">The range in words, after "must be".</param>
internal sealed record NumberRange(Func<double, bool> Allows, string Allowed)
{
    public static NumberRange NotNegative { get; } = new(value => value >= 0, "at least 0");

    // What is computed with it is float32: a number that rounds to 0 there would divide by zero.
    public static NumberRange Positive { get; } = new(value => (float)value > 0, "greater than 0 in float32");

    public static NumberRange NotZero { get; } = new(value => (float)value != 0, "other than 0 in float32");

    /// <summary>0 ≤ value &lt; 1.</summary>
    public static NumberRange BelowOne { get; } = new(value => value is >= 0 and < 1, "at least 0 and below 1");

    public static NumberRange FromTo(double from, double to) => new(
        value => value >= from && value <= to,
        string.Create(CultureInfo.InvariantCulture, $"from {from} to {to}"));

    public static NumberRange AboveUpTo(double above, double to) => new(
        value => value > above && value <= to,
        string.Create(CultureInfo.InvariantCulture, $"greater than {above} and at most {to}"));
}
