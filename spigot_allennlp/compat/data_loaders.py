"""
Patches for how a model is given its batches.
"""

import functools
from typing import Any, Iterator

from spigot_allennlp.compat.patching import patch


@patch(
    "allennlp.training.gradient_descent_trainer",
    "allennlp.training.util",
    since="AllenNLP 2.10.1 itself: no model is asked whether it can use the batches of a loader, "
    "so that a stateful encoder, for one, continues texts with pieces of others",
    until="AllenNLP lets a model check the data loader",
)
def a_model_may_refuse_its_batches(module: Any) -> Iterator[None]:
    """A model that wants to check them defines a method `check_loader`. No batch is made before."""
    yield

    def check(model: Any, loader: Any) -> None:
        if loader is not None and hasattr(model, "check_loader"):
            model.check_loader(loader)

    if hasattr(module, "evaluate"):
        evaluate = module.evaluate

        @functools.wraps(evaluate)
        def checked_evaluate(model: Any, data_loader: Any, *args: Any, **kwargs: Any) -> Any:
            check(model, data_loader)
            return evaluate(model, data_loader, *args, **kwargs)

        module.evaluate = checked_evaluate
        return
    trainer = module.GradientDescentTrainer
    start = trainer.__init__

    @functools.wraps(start)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        start(self, *args, **kwargs)
        for loader in (self.data_loader, self._validation_data_loader):
            check(self.model, loader)

    trainer.__init__ = __init__
