namespace DistributedBackprop.Actors.Wire;

/// <summary>
/// A message that crosses nodes. <see cref="WireSerializer"/> writes it; each has an entry in one of its tables, such as
/// <see cref="DirectoryFormats"/>.
/// </summary>
#pragma warning disable CA1040 // Serializers are bound to types: this is the type.
public interface IWireMessage;
#pragma warning restore CA1040
