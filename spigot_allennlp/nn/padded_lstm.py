"""
An LSTM over padded sequences without packing them.

For packed sequences on a CPU, PyTorch runs an LSTM step by step, with a matrix product and its
derivative for each. In training, this takes two to three times as long as oneDNN's LSTM, which does
not support lengths. The forward direction does not need them, since padding comes last. For the
backward direction, each sequence is reversed within its own length before and after. The result is
the same up to rounding.
"""

from typing import List, Tuple

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.dropout import dropout
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature

_PADDED = Signature(
    Argument("inputs", FLOATS, ("batch_size", "length", "input_size")),
    Argument("mask", TRUTH_VALUES, ("batch_size", "length")),
)
# Padding is computed too. Up to this ratio of steps to tokens, it is still faster than packing; in
# training, packing is even slower.
MOST_PADDING_IN_TRAINING = 2.0
MOST_PADDING_IN_INFERENCE = 1.25


def is_worthwhile(lstm: torch.nn.Module, inputs: Tensor, mask: BoolTensor) -> bool:
    """
    Returns whether `run_padded_lstm` gives the result of `lstm` for packed sequences, and is likely
    to be faster: on a CPU, in single precision, with little padding, all of it after the tokens.

    # Parameters

    lstm : `torch.nn.Module`
    inputs : `Tensor`
        Shape `(batch_size, length, input_size)`.
    mask : `BoolTensor`
        Shape `(batch_size, length)`.
    """
    if type(lstm) is not torch.nn.LSTM or lstm.proj_size or not lstm.batch_first:
        return False
    if inputs.device.type != "cpu" or inputs.dtype != torch.float32 or mask.numel() == 0:
        return False
    if torch.is_autocast_enabled("cpu") or not _has_onednn():
        return False
    if lstm._forward_hooks or lstm._forward_pre_hooks or lstm._backward_hooks:
        return False
    is_prefix = bool((mask[:, :-1] >= mask[:, 1:]).all())
    trains = torch.is_grad_enabled() and any(weight.requires_grad for weight in lstm.parameters())
    most = MOST_PADDING_IN_TRAINING if trains else MOST_PADDING_IN_INFERENCE
    return is_prefix and mask.numel() <= most * int(mask.sum())


def _has_onednn() -> bool:
    backend = torch.backends.mkldnn
    return backend.is_available() and getattr(backend, "enabled", True)


def run_padded_lstm(lstm: torch.nn.LSTM, inputs: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns the states of the last layer of an LSTM, zero on padding.

    # Parameters

    lstm : `torch.nn.LSTM`
        With `batch_first`, without projections. Dropout between its layers applies in training.
    inputs : `Tensor`
        Shape `(batch_size, length, input_size)`; computed in the type of the weights.
    mask : `BoolTensor`
        Shape `(batch_size, length)`, True on the tokens, which come before the padding.

    # Returns

    `Tensor`
        Shape `(batch_size, length, num_directions * hidden_size)`.
    """
    _PADDED.check(inputs, mask)
    if inputs.size(-1) != lstm.input_size:
        raise ValueError(
            f"Expected inputs of shape (batch_size, length, {lstm.input_size}), but found "
            f"{tuple(inputs.shape)}."
        )
    reversal = _reversal(mask)
    states = inputs.to(lstm.weight_ih_l0.dtype)
    for layer in range(lstm.num_layers):
        if layer > 0 and lstm.dropout > 0:
            states = dropout(states, lstm.dropout, lstm.training)
        directions = [_run_layer(lstm, f"l{layer}", states)]
        if lstm.bidirectional:
            backwards = _run_layer(lstm, f"l{layer}_reverse", _reorder(states, reversal))
            directions.append(_reorder(backwards, reversal))
        states = torch.cat(directions, dim=-1)
    return states.masked_fill(~mask.unsqueeze(-1), 0)


def _run_layer(lstm: torch.nn.LSTM, layer: str, inputs: Tensor) -> Tensor:
    """Returns the states of one direction of one layer, from left to right."""
    names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if lstm.bias else [])]
    weights: List[Tensor] = [getattr(lstm, f"{name}_{layer}") for name in names]
    start = inputs.new_zeros(1, len(inputs), lstm.hidden_size)
    output: Tuple[Tensor, ...] = torch.lstm(
        inputs,
        [start, start],
        weights,
        has_biases=lstm.bias,
        num_layers=1,
        dropout=0.0,
        train=lstm.training,
        bidirectional=False,
        batch_first=True,
    )
    return output[0]


def _reversal(mask: BoolTensor) -> LongTensor:
    """
    Returns the position of each token in the flattened batch after the reversal of every sequence,
    shape `(batch_size * length,)`. Padding stays. The reversal is its own inverse.
    """
    batch_size, length = mask.shape
    positions = torch.arange(length, device=mask.device)
    mirrored = mask.sum(dim=1, keepdim=True) - 1 - positions
    within = torch.where(mask, mirrored, positions)
    return (within + length * torch.arange(batch_size, device=mask.device).unsqueeze(1)).flatten()


def _reorder(states: Tensor, order: LongTensor) -> Tensor:
    return states.flatten(0, 1).index_select(0, order).view_as(states)
