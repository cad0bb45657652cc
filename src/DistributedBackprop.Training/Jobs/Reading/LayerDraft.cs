using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>A layer as the file has it, before names and inputs are filled in.</summary>
internal sealed record LayerDraft
{
    /// <summary>Where its entry in the list begins.</summary>
    public required Position At { get; init; }

    /// <summary>The word of its kind, by which an unnamed layer is called; null when nobody knows.</summary>
    public string? Word { get; init; }

    /// <summary>What it computes; null when that is wrong.</summary>
    public LayerKind? Kind { get; init; }

    /// <summary>The name it is given; null to be called by its kind.</summary>
    public string? Name { get; init; }

    /// <summary>Where its name is, or its entry without one.</summary>
    public Position NameAt { get; init; }

    /// <summary>Whether it has a name that is none.</summary>
    public bool HasBrokenName { get; init; }

    /// <summary>Its inputs; null for the layer before.</summary>
    public ImmutableArray<InputDraft>? Inputs { get; init; }

    /// <summary>Its learning rate over the job's.</summary>
    public double LearningRateFactor { get; init; } = 1;
}

/// <summary>A name in a layer's list of inputs.</summary>
/// <param name="Name">The name; null when it is none.</param>
/// <param name="At">Where it is.</param>
internal sealed record InputDraft(string? Name, Position At);
