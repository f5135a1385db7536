"""
Patches for how a model is given its batches.
"""

import functools
from typing import Any, Iterator

from spigot_allennlp.compat.patching import patch


@patch(
    "allennlp.training.gradient_descent_trainer",
    "allennlp.evaluation.evaluator",
    since="AllenNLP 2.10.1 itself: no model is asked whether it can use the batches of a loader, "
    "so that a stateful encoder, for one, continues texts with pieces of others",
    until="AllenNLP lets a model check the data loader",
)
def a_model_may_refuse_its_batches(module: Any) -> Iterator[None]:
    """A model may define `check_loader(loader, key)`, which is called before the first batch."""
    yield

    def check(model: Any, loader: Any, key: str) -> None:
        if loader is not None and hasattr(model, "check_loader"):
            model.check_loader(loader, key)

    if hasattr(module, "SimpleEvaluator"):
        evaluate = module.SimpleEvaluator.__call__

        @functools.wraps(evaluate)
        def __call__(self: Any, model: Any, data_loader: Any, *args: Any, **kwargs: Any) -> Any:
            check(model, data_loader, "the data loader of the evaluation")
            return evaluate(self, model, data_loader, *args, **kwargs)

        module.SimpleEvaluator.__call__ = __call__
        return
    trainer = module.GradientDescentTrainer
    start = trainer.__init__

    @functools.wraps(start)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        start(self, *args, **kwargs)
        check(self.model, self.data_loader, "data_loader")
        check(self.model, self._validation_data_loader, "validation_data_loader")

    trainer.__init__ = __init__
