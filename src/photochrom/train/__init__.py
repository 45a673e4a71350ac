"""The training system: configuration, data, degradation, losses, the loop, checkpoints."""
