"""A part of a model run without its dropout, in training."""

from contextlib import contextmanager
from typing import Iterator

import torch


@contextmanager
def without_dropout(module: torch.nn.Module) -> Iterator[None]:
    """
    Within this context `module` computes what it would compute in evaluation, while gradients flow.
    Recurrent layers stay in training mode, outside of which cuDNN refuses their backward pass, with
    their own dropout at zero.
    """
    modules = list(module.modules())
    training = [part.training for part in modules]
    dropouts = [getattr(part, "dropout", None) for part in modules]
    for part in modules:
        if isinstance(part, torch.nn.RNNBase):
            part.dropout = 0.0
        else:
            part.training = False
    try:
        yield
    finally:
        for part, mode, dropout in zip(modules, training, dropouts, strict=True):
            part.training = mode
            if isinstance(part, torch.nn.RNNBase):
                part.dropout = dropout
