"""Which way to compute, by where the tensors are."""

import torch


def has_kernels(device: torch.device) -> bool:
    """Whether there are compiled kernels for tensors on `device`; elsewhere torch has to do."""
    return device.type == "cpu"


def answers_at_once(device: torch.device) -> bool:
    """
    Whether a number can be read off a tensor on `device` without waiting for all else that it was
    asked to do.
    """
    return device.type == "cpu"
