namespace DistributedBackprop.Training.Tensors;

/// <summary>What a layer computes with: where its tensors come from and who runs its tiles.</summary>
/// <param name="Pool">Lends tensors.</param>
/// <param name="Tiles">Runs the tiles of kernels.</param>
public sealed record Workspace(TensorPool Pool, ITiles Tiles);
