"""Decreases the learning rate with the square root of the epoch."""

from typing import List

import torch
from allennlp.training.learning_rate_schedulers import LearningRateScheduler

from spigot_allennlp.config_checks import check_least


@LearningRateScheduler.register("inverse_square_root")
class InverseSquareRoot(LearningRateScheduler):
    """
    In epoch i, counted from 1, the learning rate of the optimizer is divided by the square root of
    `max(1, i - delay)`. With the default, the first two epochs have the full rate, as in the runs
    published with [Jin, Zhang & Li (2018)](https://arxiv.org/abs/1805.07866).

    Registered as a `LearningRateScheduler` with name "inverse_square_root".

    # Parameters

    delay : `int`, optional (default = `1`)
        In epochs.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, delay: int = 1, last_epoch: int = -1
    ) -> None:
        check_least(0, delay=delay)
        self.delay = delay
        super().__init__(optimizer, last_epoch)

    def get_values(self) -> List[float]:
        # At the end of epoch `last_epoch`, counted from 0, the trainer asks for the next epoch's
        # rate.
        next_epoch = self.last_epoch + 2
        divisor = max(1, next_epoch - self.delay) ** 0.5
        return [value / divisor for value in self.base_values]
