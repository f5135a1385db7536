"""Clips the gradients of each group of parameters separately."""

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
    The gradients of a group of parameters in a batch: their Euclidean `norm` before clipping, and
    the maximum to which they are clipped, `math.inf` if there is none.
    """

    norm: float
    max_norm: float


@Trainer.register("group_clipping", constructor="from_partial_objects")
class GroupClippingTrainer(GradientDescentTrainer):
    """
    AllenNLP's "gradient_descent", but each of the optimizer's groups of parameters is clipped
    separately: to the norm in its option `grad_norm`, or else to the trainer's `grad_norm`.
    Otherwise, in a model with two encoders, a huge gradient of one would scale the gradient of the
    other down to nothing.

        trainer: {
          type: 'group_clipping',
          grad_norm: 5.0,
          optimizer: { type: 'adam', lr: 0.002, parameter_groups: [
            [['syntactic_parser'], { name: 'syntactic_parser' }],
            [['semantic_parser'], { name: 'semantic_parser', grad_norm: 1.0, lr: 0.001 }],
          ] },
        }

    Parameters in none of the groups form one more group. In mixed precision, gradients are unscaled
    first. In distributed training all processes have the mean of the gradients and clip it in the
    same way; there the names of parameters, which the regular expressions search, begin with
    "module.".

    Registered as a `Trainer` with name "group_clipping".

    # Parameters

    Those of `GradientDescentTrainer`. Besides the options of its optimizer, a parameter group has:

    name : `str`, optional (default = the number of the group)
        The name of the group in logs and in the schedule "by_group".
    grad_norm : `Union[float, bool]`, optional (default = that of the trainer)
        The maximum norm. As for the trainer, `False` and `True` mean no limit.

    # Raises

    `ConfigurationError` if two groups have the same name, or if in distributed training each
    process holds only a part of the parameters (FairScale).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The norms of the last batch, by the names of the groups.
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
        """Clips each group, and returns the norm of all gradients before clipping."""
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
    """
    Returns the names of an optimizer's groups of parameters; groups without a name have numbers.
    """
    groups = optimizer.param_groups
    return [str(group.get("name", number)) for number, group in enumerate(groups)]
