"""What kernels compute against what autograd makes of a recurrence."""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import recurrence
from spigot_allennlp.nn.closed_form_autograd import Inference
from spigot_allennlp.nn.recurrence import Recurrence


def check_agreement(
    inference: Inference, over: Recurrence, scores: Tensor, mask: BoolTensor, direction: Tensor
) -> None:
    """Scores and direction in double precision."""
    leaf = scores.clone().requires_grad_()
    total = recurrence.log_partition(leaf, mask, over)
    (marginals,) = torch.autograd.grad(total.sum(), leaf, create_graph=True)
    (derivative,) = torch.autograd.grad((marginals * direction).sum(), leaf)
    results = (
        *inference.log_partition_and_marginals(scores, mask),
        inference.marginals_jvp(scores, mask, direction),
    )
    for ours, theirs in zip(results, (total, marginals, derivative), strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-9, atol=1e-9)
