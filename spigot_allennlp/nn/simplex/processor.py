"""
Projected steps on the simplex and the capped simplex on the processor: tensors to and from the
kernel. Arguments as in `simplex.py`.
"""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.simplex import kernels
from spigot_allennlp.nn.simplex.sort import ROUNDING
from spigot_allennlp.nn.threads import share

# Entries from which on a second thread gains more than it costs.
MANY_ENTRIES = 200_000


def step(origin: Tensor, step: Tensor, mask: BoolTensor, capped: bool) -> Tensor:
    """The projected step onto the simplex; if `capped`, onto the capped one."""
    moved, size = torch.empty_like(origin, memory_format=torch.contiguous_format), origin.size(-1)
    if moved.numel() == 0:
        return moved
    tensors = origin.contiguous(), step.contiguous(), mask.contiguous(), moved
    arrays = [each.numpy().reshape(-1, size) for each in tensors]
    slack, num_rows = ROUNDING * torch.finfo(origin.dtype).eps, len(arrays[0])
    rows_of_each = -(-num_rows // torch.get_num_threads())

    def work(first: int) -> None:
        last = min(first + rows_of_each, num_rows)
        kernels.step_rows(first, last, int(capped), slack, *arrays)

    share(work, range(0, num_rows, rows_of_each), moved.numel() > MANY_ENTRIES)
    return moved
