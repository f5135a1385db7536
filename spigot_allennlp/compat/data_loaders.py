"""
Patches for data loaders: their worker processes, and what a model may refuse.
"""

import functools
import inspect
from typing import Any, Callable, Iterator

from spigot_allennlp.compat.patching import patch


@patch(
    "allennlp.data.data_loaders.multiprocess_data_loader",
    since="Python 3.11.5: a lock of a fork context is not handed to a spawned process",
    until="AllenNLP takes the lock of tqdm from the context of its workers",
)
def workers_get_a_lock_of_their_context(module: Any) -> Iterator[None]:
    """Both methods call `mp.RLock()`. While they run, `mp` is the context of the workers."""
    yield

    def in_context(start: Callable) -> Callable:
        @functools.wraps(start)
        def started(self: Any, queue: Any, ctx: Any) -> Any:
            default, module.mp = module.mp, ctx
            try:
                return start(self, queue, ctx)
            finally:
                module.mp = default

        return started

    loader = module.MultiProcessDataLoader
    loader._start_instance_workers = in_context(inspect.unwrap(loader._start_instance_workers))
    loader._start_batch_workers = in_context(inspect.unwrap(loader._start_batch_workers))


@patch(
    "allennlp.training.gradient_descent_trainer",
    since="AllenNLP 2.10.1 itself: no model is asked whether it can use the batches of a loader, "
    "so that a stateful encoder, for one, continues texts with pieces of others",
    until="AllenNLP lets a model check the data loader",
)
def a_model_may_refuse_what_it_is_trained_on(module: Any) -> Iterator[None]:
    yield
    trainer = module.GradientDescentTrainer
    start = trainer.__init__

    @functools.wraps(start)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        start(self, *args, **kwargs)
        check_loader(self.model, self.data_loader, "data_loader")
        check_loader(self.model, self._validation_data_loader, "validation_data_loader")

    trainer.__init__ = __init__


@patch(
    "allennlp.evaluation.evaluator",
    since="AllenNLP 2.10.1 itself, as for trainers",
    until="AllenNLP lets a model check the data loader",
)
def a_model_may_refuse_what_it_is_evaluated_on(module: Any) -> Iterator[None]:
    yield
    evaluator = module.SimpleEvaluator
    evaluate = evaluator.__call__

    @functools.wraps(evaluate)
    def __call__(self: Any, model: Any, data_loader: Any, *args: Any, **kwargs: Any) -> Any:
        check_loader(model, data_loader, "the data loader of the evaluation")
        return evaluate(self, model, data_loader, *args, **kwargs)

    evaluator.__call__ = __call__


def check_loader(model: Any, loader: Any, key: str) -> None:
    """Lets a model that defines `check_loader(loader, key)` refuse a loader."""
    if loader is not None and hasattr(model, "check_loader"):
        model.check_loader(loader, key)
