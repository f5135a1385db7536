"""The mean of many surrogate gradients, from one batch of as many copies of an instance."""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.structure import Structure


def mean_gradient(
    estimator: GradientEstimator,
    structure: Structure,
    scores: Tensor,
    tokens: BoolTensor,
    costs: Tensor,
    num_copies: int,
) -> Tensor:
    """
    The gradient of a linear loss `<costs, value>` at the scores of one instance, in the mean over
    `num_copies` draws; `scores` and `costs` have shape `(*parts)`, `tokens` `(length,)`.
    """
    torch.manual_seed(0)
    leaf = scores.expand(num_copies, *scores.shape).clone().requires_grad_()
    layer = StructuredArgmaxLayer(structure, estimator).train()
    latent = layer(
        leaf,
        tokens.expand(num_copies, -1),
        lambda value: (value * costs).flatten(1).sum(dim=1),
    )
    losses = latent.losses()
    (losses.sum() + num_copies * layer.auxiliary_loss(latent, losses)).backward()
    return leaf.grad.mean(dim=0)
