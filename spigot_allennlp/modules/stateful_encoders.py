"""Finds the encoders that carry states from batch to batch."""

from typing import Iterator, Tuple

import torch
from allennlp.modules.encoder_base import _EncoderBase


def stateful_encoders(model: torch.nn.Module) -> Iterator[Tuple[str, _EncoderBase]]:
    """Yields the encoders of a model that carry states from batch to batch, with their names."""
    for name, module in model.named_modules():
        if isinstance(module, _EncoderBase) and module.stateful:
            yield name, module


def is_stateful(model: torch.nn.Module) -> bool:
    """Tells whether a model has, or is, an encoder that carries states from batch to batch."""
    return any(True for _ in stateful_encoders(model))
