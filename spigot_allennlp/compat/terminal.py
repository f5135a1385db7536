"""
Patches for terminal output: progress takes one line, and lists of parameters are not shown.
"""

import functools
import logging
import os
import re
import sys
import warnings
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Iterator, List, Optional

from spigot_allennlp.compat.patching import patch

# The first is set by `-v`, for this process and its children. The other two are AllenNLP's.
VERBOSE = "SPIGOT_ALLENNLP_VERBOSE"
ASKED_FOR_ALL = (VERBOSE, "ALLENNLP_DEBUG", "ALLENNLP_LOG_LEVEL")

# The loggers of the config, the parameters, their initial values, tensors, all metrics, and files.
DUMPS = {
    "allennlp.common.params",
    "allennlp.common.util",
    "allennlp.models.archival",
    "allennlp.nn.initializers",
    "allennlp.training.callbacks.console_logger",
    "allennlp.training.optimizers",
}

# The number of metrics before a bar, and the width that they must leave for bar and times.
SHOWN = 3
BAR = 46
METRIC = re.compile(r"(?:^|, )([^:,]+): (\S+?)(?=, | \|\|)")

# The validation metrics of the training in this process. They are shown after the loss.
TRACKED: List[str] = []


@patch(
    "allennlp.common.tqdm",
    since="AllenNLP 2.10.1 itself: all metrics stand before the bar, some 650 characters, which no "
    "terminal holds, so that each update is a new line; and in a notebook it needs ipywidgets",
    until="AllenNLP keeps its progress within a line",
)
def progress_fits_in_a_line(module: Any) -> Iterator[None]:
    """The line has the width that the terminal has when the bar starts. Files have all metrics."""
    yield
    # In a notebook, it is a function that needs ipywidgets.
    plain: Any = module._tqdm if isinstance(module._tqdm, type) else import_module("tqdm").tqdm

    class Bar(plain):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **{"ncols": terminal_width(), **options})

        def set_description(self, desc: Optional[str] = None, refresh: bool = True) -> None:
            super().set_description(short_description(desc or "", self.ncols), refresh)

    module._tqdm = Bar


@patch(
    "allennlp.training.metric_tracker",
    since="our progress line, which has room for three metrics",
    until="AllenNLP keeps its progress within a line",
)
def the_validation_metric_is_known_to_the_progress_line(module: Any) -> Iterator[None]:
    yield
    start = module.MetricTracker.__init__

    @functools.wraps(start)
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        start(self, *arguments, **options)
        TRACKED[:] = [name for _, name in self.tracked_metrics]

    module.MetricTracker.__init__ = __init__


def terminal_width() -> Optional[int]:
    """Returns the usable width of the terminal on stderr; `None` if stderr is not a terminal."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (AttributeError, OSError, ValueError):
        return None
    return (columns or 80) - 1  # some terminals wrap in the last column


def short_description(description: str, width: Optional[int]) -> str:
    """
    Shortens AllenNLP's list of metrics, "name: value, name: value ||", to `SHOWN` of them, or fewer
    if a line of `width` columns would have no room for a bar. The loss comes first, then the
    metrics that select the best epoch. Other texts are returned unchanged.
    """
    metrics = dict(METRIC.findall(description)) if description.endswith("||") else {}
    if not metrics:
        return description
    first = [name for name in ("loss", *TRACKED) if name in metrics]
    others = [name for name in metrics if name not in (*first, "batch_loss")]
    shown = [f"{name}: {short_number(metrics[name])}" for name in [*first, *others][:SHOWN]]
    while len(shown) > 1 and width is not None and len(", ".join(shown)) > width - BAR:
        shown.pop()
    return ", ".join(shown)


def short_number(text: str) -> str:
    """Returns a number with three decimals, or one decimal from 100 on."""
    number = float(text)
    return f"{number:.3f}" if abs(number) < 100 else f"{number:.1f}"


@patch(
    "allennlp.common.logging",
    since="AllenNLP 2.10.1 itself: the terminal shows each parameter, some 350 lines of them",
    until="AllenNLP writes them into the log alone",
)
def dumps_are_in_the_log_alone(module: Any) -> Iterator[None]:
    """The terminal shows them only with `-v`, or with the variables of AllenNLP's log level."""
    yield
    prepare = module.prepare_global_logging

    @functools.wraps(prepare)
    def prepare_global_logging(*arguments: Any, **options: Any) -> None:
        prepare(*arguments, **options)
        hide_dumps()

    module.prepare_global_logging = prepare_global_logging


def hide_dumps() -> None:
    """Keeps the dumps out of the terminal. Log files are not affected."""
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.addFilter(is_for_the_terminal)


def is_for_the_terminal(record: logging.LogRecord) -> bool:
    """Whether a record is a warning or not a dump, or dumps were requested."""
    is_dump = record.levelno < logging.WARNING and record.name in DUMPS
    return not is_dump or any(os.environ.get(variable) for variable in ASKED_FOR_ALL)


@patch(
    "allennlp.nn.parallel.fairscale_fsdp_accelerator",
    "allennlp.nn.checkpoint.fairscale_checkpoint_wrapper",
    since="torch 2.4: fairscale, when it is imported, uses the old names of torch.amp",
    until="fairscale uses the new names",
)
def fairscale_is_imported_without_warnings(module: Any) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


@patch(
    "allennlp.training.gradient_descent_trainer",
    since="torch 2.4: the names in torch.cuda.amp warn, in the middle of the first progress line",
    until="AllenNLP uses those in torch.amp",
)
def mixed_precision_has_its_new_names(module: Any) -> Iterator[None]:
    yield
    import torch

    if hasattr(torch.amp, "GradScaler"):
        module.amp = SimpleNamespace(
            autocast=lambda enabled=True: torch.amp.autocast("cuda", enabled=enabled),
            GradScaler=lambda: torch.amp.GradScaler("cuda"),
        )
