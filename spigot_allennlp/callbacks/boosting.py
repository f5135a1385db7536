"""Tells a model that boosts hard samples when an epoch ends."""

from typing import Any

from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer, TrainerCallback

from spigot_allennlp.modules.spiking_objective import SampleBoosting


@TrainerCallback.register("boosting")
class Boosting(TrainerCallback):
    """
    Registered as a `TrainerCallback` with name "boosting". See `SampleBoosting`, which the model
    must have.
    """

    def on_start(
        self, trainer: GradientDescentTrainer, is_primary: bool = True, **kwargs: Any
    ) -> None:
        super().on_start(trainer, is_primary, **kwargs)
        if not any(isinstance(part, SampleBoosting) for part in trainer.model.modules()):
            raise ConfigurationError(
                'The callback "boosting" has nothing to do: the model boosts no samples. Give it a '
                '"boosting", or take the callback out.'
            )

    def on_epoch(self, trainer: GradientDescentTrainer, *args: Any, **kwargs: Any) -> None:
        for part in trainer.model.modules():
            if isinstance(part, SampleBoosting):
                part.end_epoch()
