"""Warns early, in the log and in the metrics, when the scores of a hard decision diverge."""

import logging
import math
from typing import Any, Dict, List, Optional, Tuple

import torch
from allennlp.data import TensorDict
from allennlp.training import GradientDescentTrainer, TrainerCallback
from torch import Tensor

from spigot_allennlp.callbacks.epoch_metrics import rewrite_epoch_metrics
from spigot_allennlp.config_checks import check_positive
from spigot_allennlp.layers.structured_argmax_layer import Latent, StructuredArgmaxLayer
from spigot_allennlp.training.group_clipping import GroupClippingTrainer

logger = logging.getLogger(__name__)

# At most this many scores of a batch are examined.
ENOUGH = 100_000


@TrainerCallback.register("divergence")
class Divergence(TrainerCallback):
    """
    Watches the scores that enter each `StructuredArgmaxLayer` of a model in training, and the
    gradients of each group of parameters. A surrogate gradient can make scores grow without bound,
    which no loss shows until it is too late. If scores exceed `max_score`, a single warning says
    what to do.

    The metrics of each epoch have `training_largest_score`, the largest absolute score, and
    `training_score_spread`, the mean standard deviation of the scores of a batch. With the trainer
    "group_clipping" there are three more for each group of parameters:
    `training_gradient_norm_NAME`, the mean norm before clipping; `training_gradient_clipped_NAME`,
    the share of batches in which it was clipped; and `training_gradient_share_NAME`, the mean share
    of its squared norm in that of all gradients, over batches in which several groups have
    gradients. The last is what a common clip would leave to it. In mixed precision
    `training_gradient_overflow` is the share of batches with gradients that are not finite: these
    take no step and do not count in the metrics of the groups. In distributed training the scores
    are those of the primary process's batches; the gradients are shared by all processes. Callbacks
    listed after this one, such as "tensorboard", also write these metrics.

    Registered as a `TrainerCallback` with name "divergence".

    # Parameters

    max_score : `float`, optional (default = `300.0`)
        Larger absolute scores trigger the warning. In successful runs scores stayed below 50.
    """

    def __init__(self, serialization_dir: str, max_score: float = 300.0) -> None:
        super().__init__(serialization_dir)
        check_positive(max_score=max_score)
        self._max_score = max_score
        self._warned = False
        # Since the last batch: the largest score and the spread, for each call of a layer.
        self._seen: List[Tensor] = []
        # Since the epoch began: by the name of the metric, the sum and its number of terms.
        self._sums: Dict[str, Tuple[float, int]] = {}
        self._largest = 0.0
        self._hooks: List[torch.utils.hooks.RemovableHandle] = []

    def state_dict(self) -> Dict[str, Any]:
        return {"warned": self._warned, "sums": dict(self._sums), "largest": self._largest}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        self._warned = state_dict["warned"]
        self._sums = dict(state_dict["sums"])
        self._largest = state_dict["largest"]

    def on_start(
        self, trainer: GradientDescentTrainer, is_primary: bool = True, **kwargs: Any
    ) -> None:
        super().on_start(trainer, is_primary, **kwargs)
        for module in trainer.model.modules():
            if isinstance(module, StructuredArgmaxLayer):
                self._hooks.append(module.register_forward_hook(self._observe))

    def on_end(self, *args: Any, **kwargs: Any) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def on_batch(
        self,
        trainer: GradientDescentTrainer,
        batch_inputs: List[TensorDict],
        batch_outputs: List[Dict[str, Any]],
        batch_metrics: Dict[str, Any],
        epoch: int,
        batch_number: int,
        is_training: bool,
        is_primary: bool = True,
        batch_grad_norm: Optional[float] = None,
        **kwargs: Any,
    ) -> None:
        if not is_training:
            return
        for largest, spread in torch.stack(self._seen).tolist() if self._seen else ():
            self._add("score_spread", spread)
            # NaN is larger than any number.
            self._largest = largest if math.isnan(largest) else max(self._largest, largest)
        self._seen = []
        if isinstance(trainer, GroupClippingTrainer):
            self._add_gradients(trainer)
        if is_primary and not self._warned and not self._largest <= self._max_score:
            self._warned = True
            logger.warning(self._describe(trainer, epoch, batch_number))

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
        **kwargs: Any,
    ) -> None:
        if "score_spread" in self._sums:
            metrics["training_largest_score"] = self._largest
        for name, (total, count) in self._sums.items():
            metrics[f"training_{name}"] = total / count
        self._sums, self._largest = {}, 0.0
        if is_primary:
            rewrite_epoch_metrics(self.serialization_dir, metrics, epoch)

    def _observe(self, layer: StructuredArgmaxLayer, inputs: Tuple[Any, ...], out: Latent) -> None:
        """Records the largest absolute score and the standard deviation of the possible parts."""
        if not layer.training:
            return
        scores, mask = out.problem.scores.detach(), out.problem.mask
        # The first instances of a large batch suffice, and cost almost nothing.
        instances = max(1, ENOUGH // max(scores[:1].numel(), 1))
        scores, mask = scores[:instances].float(), mask[:instances]
        possible = mask & (scores != -torch.inf)
        scores = scores.masked_fill(~possible, 0)
        count = possible.sum().clamp(min=1)
        largest = torch.linalg.vector_norm(scores, torch.inf)
        variance = scores.pow(2).sum() / count - (scores.sum() / count) ** 2
        self._seen.append(torch.stack([largest, variance.clamp(min=0).sqrt()]))

    def _add_gradients(self, trainer: GroupClippingTrainer) -> None:
        if trainer._scaler is not None:
            overflow = not all(math.isfinite(group.norm) for group in trainer.group_norms.values())
            self._add("gradient_overflow", float(overflow))
            if overflow:
                return
        # Other groups have no gradient from this batch, or no parameters.
        groups = {name: group for name, group in trainer.group_norms.items() if group.norm != 0}
        whole = math.hypot(*(group.norm for group in groups.values()))
        for name, group in groups.items():
            self._add(f"gradient_norm_{name}", group.norm)
            self._add(f"gradient_clipped_{name}", float(group.norm > group.max_norm))
            if len(groups) > 1:
                self._add(f"gradient_share_{name}", (group.norm / whole) ** 2)

    def _add(self, name: str, value: float) -> None:
        total, count = self._sums.get(name, (0.0, 0))
        self._sums[name] = total + value, count + 1

    def _describe(self, trainer: GradientDescentTrainer, epoch: int, batch_number: int) -> str:
        text = (
            f"Training diverges: in batch {batch_number} of epoch {epoch} an absolute score that "
            f"enters the argmax is {self._largest:.4g}, above the {self._max_score:.4g} of the "
            "callback 'divergence'."
        )
        if isinstance(trainer, GroupClippingTrainer):
            norms = [
                f"{name} {group.norm:.3g}"
                for name, group in trainer.group_norms.items()
                if group.norm != 0
            ]
            text += f" Norms of the gradients before clipping: {', '.join(norms)}."
        else:
            text += " Set trainer.type: 'group_clipping' to clip each encoder by itself."
        return text + (
            " Set model.argmax.estimator.max_step_norm (0.01, say), make it smaller, or lower the "
            "rate of the parser that scores."
        )
