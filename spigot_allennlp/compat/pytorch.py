"""
Patches for PyTorch 2.0 and later.
"""

import functools
import inspect
import logging
from typing import Any, Iterator

from spigot_allennlp.compat.patching import patch

logger = logging.getLogger(__name__)


@patch(
    "allennlp.training.checkpointer",
    since="torch 2.6: torch.load reads weights only, not the numpy scalars of the cosine scheduler",
    until="AllenNLP's schedulers keep their state in Python's own numbers",
)
def checkpoints_may_hold_numpy_scalars(module: Any) -> Iterator[None]:
    """
    Loading stays safe: `weights_only` is unchanged, and neither a scalar nor a dtype runs code.
    """
    import numpy
    import torch

    scalar = numpy.float64(0.0).__reduce__()[0]
    names = [f"numpy.{core}.multiarray.scalar" for core in ("core", "_core")]  # numpy 1 and 2
    kinds = [kind for kind in vars(numpy.dtypes).values() if isinstance(kind, type)]
    torch.serialization.add_safe_globals([(scalar, name) for name in names])
    torch.serialization.add_safe_globals([numpy.dtype, *kinds])
    yield


@patch(
    "allennlp.training.learning_rate_schedulers.pytorch_lr_schedulers",
    since="torch 2.7: ReduceLROnPlateau has no `verbose` any more",
    until="AllenNLP does not pass it",
)
def reduce_on_plateau_passes_no_verbose(module: Any) -> Iterator[None]:
    """`verbose` stays in AllenNLP's signature, since configs are checked against it."""
    yield
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    scheduler = module.ReduceOnPlateauLearningRateScheduler
    original = inspect.unwrap(scheduler.__init__)

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        arguments = inspect.signature(original).bind(self, *args, **kwargs).arguments
        if arguments.pop("verbose", False):
            logger.warning("reduce_on_plateau: torch has no `verbose` any more, it is left out.")
        super(scheduler, arguments.pop("self")).__init__(ReduceLROnPlateau(**arguments))

    if "verbose" not in inspect.signature(ReduceLROnPlateau).parameters:
        scheduler.__init__ = __init__


@patch(
    "allennlp.training.gradient_descent_trainer",
    "allennlp.training.util",
    "allennlp.nn.parallel.ddp_accelerator",
    since="torch 2.0: clip_grad_norm_ knows no norm of sparse gradients (`sparse: true`)",
    until="torch clips sparse gradients",
)
def sparse_gradients_are_clipped(module: Any) -> Iterator[None]:
    yield
    from torch import Tensor, empty_like
    from torch.nn.utils import clip_grad_norm_

    def with_values(parameter: Tensor) -> Tensor:
        if parameter.grad is None or not parameter.grad.is_sparse:
            return parameter
        parameter.grad = parameter.grad.coalesce()
        values = empty_like(parameter.grad.values())
        values.grad = parameter.grad.values()  # shared: clipping it clips the sparse gradient
        return values

    @functools.wraps(clip_grad_norm_)
    def clip(parameters: Any, *args: Any, **kwargs: Any) -> Tensor:
        parameters = [parameters] if isinstance(parameters, Tensor) else parameters
        return clip_grad_norm_(
            [with_values(parameter) for parameter in parameters], *args, **kwargs
        )

    module.clip_grad_norm_ = clip


@patch(
    "allennlp.nn.parallel.ddp_accelerator",
    since="torch 1.0: distributed training ends after a batch that left a parameter unused, unless "
    "it was told to look for such; AllenNLP has the config alone tell it (find_unused_parameters)",
    until="AllenNLP asks the model",
)
def models_say_that_a_batch_may_leave_parameters_unused(module: Any) -> Iterator[None]:
    """
    A model does so with the attribute `leaves_parameters_unused`. The pooler of a pretrained
    transformer also counts, since no embedder uses it.
    """
    yield
    wrap_model = module.TorchDdpAccelerator.wrap_model

    @functools.wraps(wrap_model)
    def wrap(self: Any, model: Any) -> Any:
        transformers = (getattr(part, "transformer_model", None) for part in model.modules())
        has_pooler = any(getattr(part, "pooler", None) is not None for part in transformers)
        if has_pooler or getattr(model, "leaves_parameters_unused", False):
            self._ddp_kwargs["find_unused_parameters"] = True
        return wrap_model(self, model)

    module.TorchDdpAccelerator.wrap_model = wrap
