"""Clips the gradients of each group of parameters by itself."""

import logging
import math
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer, Trainer
from torch.nn.utils import clip_grad_norm_

from spigot_allennlp.config_checks import check_positive

logger = logging.getLogger(__name__)


class GroupNorm(NamedTuple):
    """
    Describes the gradients of a group of parameters in a batch: their Euclidean `norm` before they
    were clipped, and the greatest norm that they might have, `math.inf` if that is any.
    """

    norm: float
    max_norm: float


@Trainer.register("group_clipping", constructor="from_partial_objects")
class GroupClippingTrainer(GradientDescentTrainer):
    """
    AllenNLP's "gradient_descent", but each of the optimizer's groups of parameters is clipped by
    itself: to the norm in its option `grad_norm`, or else to the trainer's `grad_norm`. In a model
    of two encoders, a huge gradient of the first would otherwise scale that of the second down to
    nothing.

        trainer: {
          type: 'group_clipping',
          grad_norm: 5.0,
          optimizer: { type: 'adam', lr: 0.002, parameter_groups: [
            [['syntactic_parser'], { name: 'syntactic_parser' }],
            [['semantic_parser'], { name: 'semantic_parser', grad_norm: 1.0, lr: 0.001 }],
          ] },
        }

    Parameters in none of the groups are one more group. In mixed precision, gradients are unscaled
    first. In distributed training each process has the mean of the gradients, and clips it alike;
    the names of parameters, which the regular expressions look through, begin with "module." there.

    Registered as a `Trainer` with name "group_clipping".

    # Parameters

    As those of `GradientDescentTrainer`. A parameter group has, beside the options of its
    optimizer:

    name : `str`, optional (default = the number of the group)
        What the group is called in logs and by the schedule "by_group".
    grad_norm : `Union[float, bool]`, optional (default = that of the trainer)
        The greatest norm. As for the trainer, `False` and `True` mean any.

    # Raises

    `ConfigurationError` if two groups have the same name, or in distributed training if each
    process has a part of the parameters alone (FairScale).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # These are the norms of the last batch, by the names of the groups.
        self.group_norms: Dict[str, GroupNorm] = {}
        if self._ddp_wrapped_model is not None and self._ddp_wrapped_model.is_sharded:
            raise ConfigurationError(
                "The trainer 'group_clipping' cannot clip parameters of which each process has a "
                "part. Set trainer.type: 'gradient_descent', or distributed.ddp_accelerator.type: "
                "'torch'."
            )
        for group in self.optimizer.param_groups:
            check_positive(grad_norm=self._max_norm(group))
        repeated = [name for name, n in Counter(group_names(self.optimizer)).items() if n > 1]
        if repeated:
            raise ConfigurationError(
                f"Several of trainer.optimizer.parameter_groups have the name {repeated[0]!r}."
            )
        if len(self.optimizer.param_groups) == 1:
            logger.warning(
                "The trainer 'group_clipping' has one group of parameters, which it clips as "
                "'gradient_descent' does. Set trainer.optimizer.parameter_groups."
            )

    def rescale_gradients(self) -> float:
        """Clips each group, and returns the norm of all gradients before that."""
        if self._scaler is not None:
            self._scaler.unscale_(self.optimizer)
        groups = self.optimizer.param_groups
        max_norms = [self._max_norm(group) for group in groups]
        on_device = [
            clip_grad_norm_(group["params"], max_norm).to(self.cuda_device, torch.float)
            for group, max_norm in zip(groups, max_norms, strict=True)
        ]
        norms = torch.stack(on_device).tolist()
        self.group_norms = {
            name: GroupNorm(norm, max_norm)
            for name, norm, max_norm in zip(
                group_names(self.optimizer), norms, max_norms, strict=True
            )
        }
        return math.hypot(*norms)

    def _max_norm(self, group: Dict[str, Any]) -> float:
        grad_norm: Union[float, bool, None] = group.get("grad_norm", self._grad_norm)
        return math.inf if grad_norm is None or isinstance(grad_norm, bool) else grad_norm


def group_names(optimizer: torch.optim.Optimizer) -> List[str]:
    """Returns the names of the groups of parameters of an optimizer, numbers where it has none."""
    groups = optimizer.param_groups
    return [str(group.get("name", number)) for number, group in enumerate(groups)]
