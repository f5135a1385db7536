"""Floor 1: tensors in, tensors out; no registry, no config, no text."""
