"""
Dropout that does not wait for its random numbers.

On a CPU, PyTorch draws a double-precision number for each element, which takes longer than its use.
Here, 16 random bits from the same generator decide.
"""

import torch
from torch import Tensor

_BITS = 16
_VALUES = 2**_BITS


class Dropout(torch.nn.Dropout):
    """
    Sets each element to zero with probability `p` in training, and scales the others by
    `1 / (1 - p)` ([Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)). On a
    CPU, `p` is rounded to a multiple of 2^-16, and the scale is that of the rounded value.
    """

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training)


def dropout(input: Tensor, p: float, training: bool = True) -> Tensor:
    """Returns the result of `Dropout`, in the shape of `input`."""
    dropped = round(p * _VALUES)
    if not training or not 0 < dropped < _VALUES or input.device.type != "cpu":
        return torch.nn.functional.dropout(input, p, training)
    size = input.numel()
    words = input.new_empty((size + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    bits = words.view(torch.int16)[:size].view(input.shape)
    is_kept = bits >= dropped - _VALUES // 2
    return input * is_kept.to(input.dtype).mul_(_VALUES / (_VALUES - dropped))
