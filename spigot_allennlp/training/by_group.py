"""Gives each group of parameters its own learning rate schedule."""

from typing import Any, Dict, List, Optional

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler

from spigot_allennlp.training.group_clipping import group_names


@LearningRateScheduler.register("by_group")
class ByGroup(LearningRateScheduler):
    """
    Gives each of the optimizer's groups of parameters its own schedule. The learning rate of a
    group without a schedule does not change.

        learning_rate_scheduler: { type: 'by_group', schedulers: {
          syntactic_parser: { type: 'step', step_size: 10, gamma: 0.5 },
          semantic_parser: { type: 'exponential', gamma: 0.8 },
        } }

    Registered as a `LearningRateScheduler` with name "by_group".

    # Parameters

    schedulers : `Dict[str, LearningRateScheduler]`
        By the names of the groups: the option `name` of a parameter group, or its number, counted
        from 0. The last group holds the parameters in none of the others.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        schedulers: Dict[str, Lazy[LearningRateScheduler]],
        num_epochs: Optional[int] = None,
        num_steps_per_epoch: Optional[int] = None,
        last_epoch: int = -1,
    ) -> None:
        super().__init__(optimizer, last_epoch)
        names = group_names(optimizer)
        unknown = sorted(set(schedulers) - set(names))
        if unknown:
            raise ConfigurationError(
                f"learning_rate_scheduler.schedulers has a schedule for {unknown[0]!r}, but the "
                f"parameter groups of the optimizer are {names}. Set the option name of a group."
            )
        self.schedulers = {
            name: scheduler.construct(
                optimizer=_GroupView(optimizer, names.index(name)),
                num_epochs=num_epochs,
                num_steps_per_epoch=num_steps_per_epoch,
            )
            for name, scheduler in schedulers.items()
        }

    def get_values(self) -> List[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self, metric: Optional[float] = None) -> None:
        for scheduler in self.schedulers.values():
            scheduler.step(metric)

    def step_batch(self, batch_num_total: Optional[int] = None) -> None:
        for scheduler in self.schedulers.values():
            scheduler.step_batch(batch_num_total)

    def state_dict(self) -> Dict[str, Any]:
        return {name: scheduler.state_dict() for name, scheduler in self.schedulers.items()}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        for name, scheduler in self.schedulers.items():
            scheduler.load_state_dict(state_dict[name])


class _GroupView(torch.optim.Optimizer):
    """Shows a schedule a single group of an optimizer's parameters, as if there were no others."""

    # PyTorch's schedules warn unless this says that the optimizer took a step before them.
    _opt_called = True

    def __init__(self, optimizer: torch.optim.Optimizer, number: int) -> None:
        # Does not call the base class, which would make groups of its own.
        self._optimizer = optimizer
        self._number = number
        self.defaults = optimizer.defaults

    @property
    def param_groups(self) -> List[Dict[str, Any]]:  # type: ignore[override]
        """Returns the current group: a restored optimizer gets new groups."""
        return [self._optimizer.param_groups[self._number]]
