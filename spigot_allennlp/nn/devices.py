"""Which way to compute, by where the tensors are."""

import torch


def has_kernels(device: torch.device) -> bool:
    """Whether there are compiled kernels for tensors on `device`; elsewhere torch has to do."""
    return device.type == "cpu"
