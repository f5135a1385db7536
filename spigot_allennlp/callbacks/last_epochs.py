"""Reports the mean of the validation metrics over the last epochs, beside those of the best."""

from typing import Any, Dict, List, Optional

from allennlp.data import TensorDict
from allennlp.training import GradientDescentTrainer, TrainerCallback

from spigot_allennlp.callbacks.epoch_metrics import rewrite_epoch_metrics
from spigot_allennlp.config_checks import check_least

PREFIX = "validation_"


@TrainerCallback.register("last_epochs")
class LastEpochs(TrainerCallback):
    """
    The best of many epochs looks too good because it was selected; the mean of the last epochs does
    not have this bias. For each metric of the validation data, such as `accuracy`, the metrics of
    the run have `mean_of_last_20_validation_accuracy` beside `best_validation_accuracy`. Epochs
    without a validation do not count (AllenNLP repeats the metrics of the last validation in
    theirs).

    Registered as a `TrainerCallback` with name "last_epochs".

    # Parameters

    number : `int`, optional (default = `20`)
        The number of epochs with a validation in the mean; all of them, if there are fewer.
    """

    def __init__(self, serialization_dir: str, number: int = 20) -> None:
        super().__init__(serialization_dir)
        check_least(1, number=number)
        self._number = number
        self._seen: List[Dict[str, float]] = []
        self._is_validated = False

    def state_dict(self) -> Dict[str, Any]:
        return {"seen": list(self._seen)}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        self._seen = list(state_dict["seen"])

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
        self._is_validated = not is_training

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
        **kwargs: Any,
    ) -> None:
        if self._is_validated:
            validation = {
                name: value
                for name, value in metrics.items()
                if name.startswith(PREFIX) and isinstance(value, (int, float))
            }
            self._seen = [*self._seen, validation][-self._number :]
            self._is_validated = False
        for name in dict.fromkeys(name for epoch_metrics in self._seen for name in epoch_metrics):
            values = [epoch_metrics[name] for epoch_metrics in self._seen if name in epoch_metrics]
            metrics[f"mean_of_last_{self._number}_{name}"] = sum(values) / len(values)
        if is_primary:
            rewrite_epoch_metrics(self.serialization_dir, metrics, epoch)
